using Coordination.PostgreSql.Connections;
using Coordination.PostgreSql.Transactions;
using Npgsql;

namespace Coordination.PostgreSql.Stores;

/// <summary>A session that waits for a moment for the row of a fence, so that the server says for whom.</summary>
internal sealed class FenceWaiter : IAsyncDisposable
{
    /// <summary>In milliseconds.</summary>
    private const string Patience = "300";

    /// <summary>How long a connection is waited for, less than that of the transaction which needs it may idle.</summary>
    private static readonly TimeSpan ConnectionLimit = TimeSpan.FromMilliseconds(500);

    private readonly LentConnection _connection;
    private readonly Task _waiting;

    private FenceWaiter(LentConnection connection, int pid, Task waiting) => (_connection, Pid, _waiting) = (connection, pid, waiting);

    /// <summary>The session.</summary>
    public int Pid { get; }

    public bool IsWaiting => !_waiting.IsCompleted;

    /// <returns>Null where there is no connection for it.</returns>
    public static async Task<FenceWaiter?> TryBeginAsync(LockDatabase database, Statements statements, TransactionLimits limits, string lockName, long token)
    {
        LentConnection? connection = null;
        try
        {
            using var limit = new CancellationTokenSource(ConnectionLimit);
            connection = await database.OpenAsync(limit.Token).ConfigureAwait(false);
            var transaction = new LockTransaction(connection.Connection, statements, limits, connection) { LockTimeout = Patience };
            var pid = 0;
            await transaction.BeginAsync([], make: false, withShares: false).ConfigureAwait(false);
            await transaction.AskAsync((Statements.OwnPid, [], reader => pid = reader.GetInt32(0))).ConfigureAwait(false);
            var waiting = transaction.AskAsync((statements.WaitForFence, [LockTransaction.Text(lockName), LockTransaction.Number(token)], static _ => { })).AsTask();
            return new FenceWaiter(connection, pid, waiting);
        }
        catch (Exception away) when (IsOfServer(away))
        {
            if (connection is not null)
            {
                await connection.DisposeAsync().ConfigureAwait(false);
            }

            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await _waiting.ConfigureAwait(false);
        }
        catch (Exception ended) when (IsOfServer(ended))
        {
            // It has waited for as long as it was to.
        }

        await _connection.DisposeAsync().ConfigureAwait(false);
    }

    private static bool IsOfServer(Exception e) => e is NpgsqlException or OperationCanceledException or TimeoutException or InvalidOperationException or IOException;
}
