using Coordination.PostgreSql.Transactions;
using Coordination.Stores;
using Npgsql;

namespace Coordination.PostgreSql.Stores;

/// <content>What operators ask.</content>
internal sealed partial class PostgreSqlLockStore
{
    private const int PageSize = 500;

    public Task<LockHolder?> GetHolderAsync(string lockName, CancellationToken cancellationToken) =>
        LookAsync(lockName, "look at the lock", rows => LockProtocol.Describe(rows[lockName].State, rows.Now), cancellationToken);

    public Task<LockInspection> InspectAsync(string lockName, int maxWaiters, CancellationToken cancellationToken) =>
        LookAsync(lockName, "inspect the lock", rows => LockProtocol.Inspect(rows[lockName].State, lockName, maxWaiters, rows.Now), cancellationToken);

    public Task<LockPage> ListAsync(string? cursor, CancellationToken cancellationToken) => AskAsync(
        "list the locks",
        null,
        async connection =>
        {
            var page = new NpgsqlBatchCommand(_statements.List);
            page.Parameters.Add(LockTransaction.Text(cursor ?? ""));
            page.Parameters.Add(LockTransaction.Number(PageSize));
            using var batch = Looking(connection, page);
            var names = new List<string>();
            var reader = await batch.ExecuteReaderAsync().ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                await reader.NextResultAsync().ConfigureAwait(false);
                while (await reader.ReadAsync().ConfigureAwait(false))
                {
                    names.Add(reader.GetString(0));
                }
            }

            return new LockPage { LockNames = names, Next = names.Count == PageSize ? names[^1] : null };
        },
        cancellationToken);

    public async Task<bool> RevokeAsync(string lockName, long fencingToken, TimeSpan claimWindow, CancellationToken cancellationToken)
    {
        var (reply, _) = await ChangeAsync(
            lockName, "revoke the lock", (fencingToken, claimWindow, lockName), static (state, ask, now) => LockProtocol.Revoke(state, ask.lockName, ask.fencingToken, ask.claimWindow, now), withShares: true, make: false, lease: null, cancellationToken).ConfigureAwait(false);
        return reply;
    }

    public async Task<bool> AskToStepDownAsync(string lockName, long fencingToken, StepDownRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        var (reply, _) = await ChangeAsync(
            lockName, "ask the holder to step down of the lock", (fencingToken, request, lockName), static (state, ask, now) => LockProtocol.AskToStepDown(state, ask.lockName, ask.fencingToken, ask.request, now), withShares: true, make: false, lease: null, cancellationToken).ConfigureAwait(false);
        return reply;
    }

    public async Task<bool> ForgetOccurrenceAsync(string lockName, string series, CancellationToken cancellationToken)
    {
        var (reply, _) = await ChangeAsync(lockName, "forget the occurrences of the lock", series, LockProtocol.ForgetOccurrence, withShares: true, make: false, lease: null, cancellationToken).ConfigureAwait(false);
        return reply;
    }

    /// <summary>By a write: a server whose disk is full, or that takes none, replies to a question all the same.</summary>
    public Task PingAsync(CancellationToken cancellationToken) => AskAsync(
        "take a write",
        null,
        connection => ShortTransaction.RunAsync(connection, _limits, _limits.CommandSeconds, _statements.Ping, [], read: null),
        cancellationToken);

    /// <summary>Reads a lock and its shares as they were at one moment, without a lock on either.</summary>
    private Task<T> LookAsync<T>(string lockName, string action, Func<LockRows, T> describe, CancellationToken cancellationToken) => AskAsync(
        action,
        lockName,
        async connection =>
        {
            var (look, shares) = (new NpgsqlBatchCommand(_statements.Look), new NpgsqlBatchCommand(_statements.LookAtShares));
            look.Parameters.Add(LockTransaction.Texts([lockName]));
            shares.Parameters.Add(LockTransaction.Texts([lockName]));
            using var batch = Looking(connection, look, shares, new NpgsqlBatchCommand(Statements.Clock));
            var rows = new LockRows();
            var reader = await batch.ExecuteReaderAsync().ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
            {
                await reader.NextResultAsync().ConfigureAwait(false);
                await LockTransaction.ReadLocksAsync(reader, rows, isAsync: true).ConfigureAwait(false);
                await reader.NextResultAsync().ConfigureAwait(false);
                await LockTransaction.ReadSharesAsync(reader, rows, isAsync: true).ConfigureAwait(false);
                await reader.NextResultAsync().ConfigureAwait(false);
                await LockTransaction.ReadClockAsync(reader, rows, isAsync: true).ConfigureAwait(false);
            }

            return describe(rows);
        },
        cancellationToken);

    /// <summary>Questions of one moment, in a transaction that changes nothing. The limits are the first that has rows.</summary>
    private NpgsqlBatch Looking(NpgsqlConnection connection, params NpgsqlBatchCommand[] questions)
    {
        var batch = new NpgsqlBatch(connection) { Timeout = _limits.CommandSeconds };
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Statements.BeginLook));
        batch.BatchCommands.Add(ShortTransaction.TimeLimits(_limits, _limits.StatementTimeout));
        Array.ForEach(questions, batch.BatchCommands.Add);
        batch.BatchCommands.Add(new NpgsqlBatchCommand(Statements.Commit));
        return batch;
    }

    private async Task<T> AskAsync<T>(string action, string? lockName, Func<NpgsqlConnection, Task<T>> ask, CancellationToken cancellationToken)
    {
        if (!_isFit)
        {
            await EnsureFitAsync(cancellationToken).ConfigureAwait(false);
        }

        try
        {
            return await _database.AskAsync(ask, _limits.Reply, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (IsOfTheServer(e, action, lockName, isCommitSent: false, cancellationToken, out var failure))
        {
            throw failure;
        }
    }
}
