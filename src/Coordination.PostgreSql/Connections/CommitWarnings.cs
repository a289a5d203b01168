using Npgsql;

namespace Coordination.PostgreSql.Connections;

/// <summary>
/// Listens for what the server says of a commit. One that is cancelled while it waits for the synchronous standby, by an operator or by a time limit, is said to have succeeded, with a
/// warning: it is shown to all, and a failover loses it. So it is taken for one that got no reply.
/// </summary>
internal sealed class CommitWarnings : IDisposable
{
    private readonly NpgsqlConnection _connection;
    private bool _wasWarned;

    public CommitWarnings(NpgsqlConnection connection)
    {
        _connection = connection;
        connection.Notice += OnNotice;
    }

    /// <exception cref="LockStoreException">Whether what was committed outlives a failover is not known.</exception>
    public void ThrowIfAny()
    {
        if (_wasWarned)
        {
            const string cause = "PostgreSQL did not wait for its synchronous standby, because the commit was cancelled.";
            throw new LockStoreException($"{cause} What it has committed is asked for again.", isTransient: true) { Cause = cause };
        }
    }

    public void Dispose() => _connection.Notice -= OnNotice;

    private void OnNotice(object sender, NpgsqlNoticeEventArgs said) => _wasWarned |= said.Notice.InvariantSeverity == "WARNING";
}
