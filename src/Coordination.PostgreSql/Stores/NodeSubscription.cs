using System.Diagnostics;
using Coordination.PostgreSql.Connections;
using Coordination.PostgreSql.Errors;
using Coordination.PostgreSql.Telemetry;
using Coordination.PostgreSql.Transactions;
using Coordination.Stores;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Coordination.PostgreSql.Stores;

/// <summary>A node's one ear: a connection that listens, found to be dead by a question now and then, and made anew when it is.</summary>
internal sealed class NodeSubscription : IAsyncDisposable
{
    /// <summary>How long nothing is heard before the connection is asked whether it stands.</summary>
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    /// <summary>A connection that stood for so long is made anew at once, however often it is lost: the pauses are for a server that lets nobody listen.</summary>
    private static readonly TimeSpan Steady = TimeSpan.FromSeconds(1);

    /// <summary>How long whoever ends the subscription waits for the server's reply: a host that stops has no time to spare for one that hangs.</summary>
    private static readonly TimeSpan FarewellLimit = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// Has the server end no session that only listens, whatever the default of the role or the database is, and says what is to be put back. Servers before the 14th have no such limit,
    /// and no row comes of them.
    /// </summary>
    private const string KeepIdle = """
        SELECT before, pg_catalog.set_config('idle_session_timeout', '0', false)
        FROM (SELECT pg_catalog.current_setting('idle_session_timeout', true) AS before OFFSET 0) AS setting WHERE before <> '0'
        """;

    private const string PutBack = "SELECT pg_catalog.set_config('idle_session_timeout', $1, false)";

    private readonly LockDatabase _database;
    private readonly TransactionLimits _limits;
    private readonly string _channel;
    private readonly Action<LockNotification> _handler;
    private readonly Action<NodeSubscription> _ended;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _ending = new();

    /// <summary>What the connection's session had for its limit; null for none.</summary>
    private volatile string? _idleBefore;
    private Task _listening = Task.CompletedTask;
    private int _isDisposed;

    private NodeSubscription(string nodeId, LockDatabase database, TransactionLimits limits, string channel, Action<LockNotification> handler, Action<NodeSubscription> ended, ILogger logger)
    {
        NodeId = nodeId;
        (_database, _limits, _channel, _handler, _ended, _logger) = (database, limits, channel, handler, ended, logger);
    }

    public string NodeId { get; }

    /// <summary>Begins to hear. Completes when the server has confirmed.</summary>
    public static async Task<NodeSubscription> BeginAsync(
        string nodeId, LockDatabase database, TransactionLimits limits, string channel, Action<LockNotification> handler, Action<NodeSubscription> ended, ILogger logger, CancellationToken cancellationToken)
    {
        var subscription = new NodeSubscription(nodeId, database, limits, channel, handler, ended, logger);
        var connection = await subscription.ListenAsync(cancellationToken).ConfigureAwait(false);
        subscription._listening = Task.Run(() => subscription.HearAsync(connection), CancellationToken.None);
        return subscription;
    }

    /// <summary>Looks now and then for what it was told, instead of hearing: one question, however many wait.</summary>
    public static NodeSubscription Poll(
        string nodeId, LockDatabase database, TransactionLimits limits, string channel, string takeMail, TimeSpan interval, Action<LockNotification> handler, Action<NodeSubscription> ended, ILogger logger)
    {
        var subscription = new NodeSubscription(nodeId, database, limits, channel, handler, ended, logger);
        subscription._listening = Task.Run(() => subscription.PollAsync(takeMail, interval), CancellationToken.None);
        return subscription;
    }

    /// <summary>Tells the node what this process did itself, without the server.</summary>
    public void Tell(LockNotification notification)
    {
        if (Volatile.Read(ref _isDisposed) == 0)
        {
            _handler(notification);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0)
        {
            return;
        }

        _ended(this);
        await _ending.CancelAsync().ConfigureAwait(false);
        await _listening.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _ending.Dispose();
    }

    private async Task<LentConnection> ListenAsync(CancellationToken cancellationToken)
    {
        var connection = await _database.OpenAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            connection.Connection.Notification += OnNotification;
            _idleBefore = null;
            await connection.RunAsync(BeginToListenAsync, _limits.Reply, cancellationToken).ConfigureAwait(false);
            return connection;
        }
        catch
        {
            await CloseAsync(connection).ConfigureAwait(false);
            throw;
        }
    }

    private async Task BeginToListenAsync(NpgsqlConnection connection)
    {
        using var batch = new NpgsqlBatch(connection) { Timeout = _limits.CommandSeconds };
        batch.BatchCommands.Add(new NpgsqlBatchCommand(KeepIdle));
        batch.BatchCommands.Add(new NpgsqlBatchCommand($"LISTEN \"{_channel}\""));
        var reader = await batch.ExecuteReaderAsync().ConfigureAwait(false);
        await using (reader.ConfigureAwait(false))
        {
            if (await reader.ReadAsync().ConfigureAwait(false))
            {
                _idleBefore = reader.GetString(0);
            }

            while (await reader.NextResultAsync().ConfigureAwait(false))
            {
                // What fails later fails here.
            }
        }
    }

    private async Task HearAsync(LentConnection? connection)
    {
        var (pause, begunAt) = (ShortestPause, Stopwatch.GetTimestamp());
        while (!_ending.IsCancellationRequested)
        {
            try
            {
                if (connection is null)
                {
                    connection = await ListenAsync(_ending.Token).ConfigureAwait(false);
                    begunAt = Stopwatch.GetTimestamp();
                    Log.ListenerRestored(_logger);
                    Tell(LockNotification.Reconnected);
                }

                while (true)
                {
                    // The client ends a wait at once when it is told to: there is nothing that it would have the server cancel.
                    if (!await connection.RunAsync(connection => connection.WaitAsync(KeepAlive, _ending.Token), KeepAlive + _limits.Reply).ConfigureAwait(false))
                    {
                        await connection.RunAsync(QuestionAsync, _limits.Reply, _ending.Token).ConfigureAwait(false);
                    }
                }
            }
            catch (Exception lost)
            {
                // Whatever it was: a node that hears nothing any more would wait for the ends of leases for ever.
                if (connection is not null)
                {
                    await CloseAsync(connection).ConfigureAwait(false);
                    if (!_ending.IsCancellationRequested)
                    {
                        Log.ListenerLost(_logger, Describe(lost));
                    }

                    pause = Stopwatch.GetElapsedTime(begunAt) >= Steady ? ShortestPause : pause;
                }

                connection = null;
                await Task.Delay(pause, TimeProvider.System, _ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                pause = 2 * pause < LongestPause ? 2 * pause : LongestPause;
            }
        }

        if (connection is not null)
        {
            await CloseAsync(connection).ConfigureAwait(false);
        }
    }

    private async Task QuestionAsync(NpgsqlConnection connection)
    {
        using var question = new NpgsqlCommand("SELECT 1", connection) { CommandTimeout = _limits.CommandSeconds };
        await question.ExecuteNonQueryAsync().ConfigureAwait(false);
    }

    private async Task PollAsync(string takeMail, TimeSpan interval)
    {
        var isAway = false;
        while (!_ending.IsCancellationRequested)
        {
            await Task.Delay(interval, TimeProvider.System, _ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            try
            {
                await TakeMailAsync(takeMail).ConfigureAwait(false);
                if (isAway)
                {
                    isAway = false;
                    Log.ListenerRestored(_logger);
                    Tell(LockNotification.Reconnected);
                }
            }
            catch (Exception lost)
            {
                if (!isAway && !_ending.IsCancellationRequested)
                {
                    isAway = true;
                    Log.ListenerLost(_logger, Describe(lost));
                }
            }
        }
    }

    private Task<int> TakeMailAsync(string takeMail) => _database.AskAsync(
        async connection =>
        {
            // Heard when it is committed, so that nothing is lost that was not; also when nobody waits for it any more.
            var mail = new List<string>();
            await ShortTransaction.RunAsync(connection, _limits, _limits.CommandSeconds, takeMail, [LockTransaction.Text(_channel)], reader => mail.Add(reader.GetString(0))).ConfigureAwait(false);
            mail.ForEach(Hear);
            return mail.Count;
        },
        _limits.Reply,
        _ending.Token);

    private string Describe(Exception lost) =>
        PostgreSqlErrorClassifier.TryClassify(lost, "listen", _database.Address, isCommitSent: false, out var failure) ? failure.Message : lost.GetType().Name;

    private void OnNotification(object sender, NpgsqlNotificationEventArgs told) => Hear(told.Payload);

    private void Hear(string text)
    {
        if (NotificationText.TryParse(text, out var notification))
        {
            Tell(notification);
        }
    }

    /// <summary>A connection that goes back to its pool listens no more, and is ended again where it idles.</summary>
    private async Task CloseAsync(LentConnection connection)
    {
        connection.Connection.Notification -= OnNotification;
        var before = _idleBefore;
        await connection.CloseAsync(
            async connection =>
            {
                using var batch = new NpgsqlBatch(connection) { Timeout = _limits.CommandSeconds };
                batch.BatchCommands.Add(new NpgsqlBatchCommand("UNLISTEN *"));
                if (before is not null)
                {
                    batch.BatchCommands.Add(new NpgsqlBatchCommand(PutBack) { Parameters = { LockTransaction.Text(before) } });
                }

                await batch.ExecuteNonQueryAsync().ConfigureAwait(false);
            },
            FarewellLimit).ConfigureAwait(false);
    }
}
