using Coordination.PostgreSql.Connections;
using Coordination.PostgreSql.Errors;
using Coordination.PostgreSql.Schema;
using Coordination.PostgreSql.Transactions;
using Coordination.Stores;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Coordination.PostgreSql.Stores;

/// <summary>
/// Locks kept by PostgreSQL: a row for each, which a transaction locks, the protocol's machine changes by the server's time, and the transaction writes. A commit is what makes a
/// grant, so one that a synchronous standby confirms outlives a failover.
/// </summary>
internal sealed partial class PostgreSqlLockStore : ILockStore, ILockStoreAdministration, ITransactionalFence, IAsyncDisposable, IDisposable
{
    /// <summary>How often a request looks again for a row that was forgotten in that moment.</summary>
    private const int MostTurns = 5;

    /// <summary>Between two looks at whether a grant of a lock that others hold as well guards a transaction still.</summary>
    private static readonly TimeSpan PauseWhileGuarding = TimeSpan.FromMilliseconds(50);

    private readonly LockDatabase _database;
    private readonly Statements _statements;
    private readonly TransactionLimits _limits;
    private readonly NodeSubscriptions _subscriptions;
    private readonly RenewalThread _renewals;
    private readonly SharedCheck _fitness;
    private readonly Sweep _sweep;
    private readonly CallsUnderWay _acquisitions = new();
    private readonly BusyRows _busy;
    private readonly CommonAsks _asks;
    private readonly LocksOfOthers _ofOthers = new();
    private readonly EndedGrants _ended;
    private volatile bool _isFit;

    public PostgreSqlLockStore(LockDatabase database, PostgreSqlStoreOptions options, TransactionLimits limits, ILogger logger)
    {
        _database = database;
        _statements = new Statements(options.Schema);
        _limits = limits;
        _subscriptions = new NodeSubscriptions(database, _statements, options, _limits, logger);
        _renewals = new RenewalThread(database, _statements, _limits);
        _fitness = new SharedCheck(() => new SchemaCheck(database, options, _limits, logger).ExamineAsync());
        _sweep = new Sweep(database, _statements, _limits, logger);
        _busy = new BusyRows(Math.Max(1, database.MaxConnections / 2));
        _asks = new CommonAsks(AskTogetherAsync);
        _ended = new EndedGrants(_statements, logger);
    }

    public string Name => "postgresql";

    public bool KeepsShares => true;

    /// <summary>Finds out now whether the server is there and can keep locks, as the first operation would.</summary>
    /// <exception cref="LockStoreException">It is away (transient), or it cannot (final).</exception>
    public async Task EnsureFitAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _fitness.GetAsync(cancellationToken).ConfigureAwait(true);
            if (!_isFit && _database.IsShared)
            {
                // While the pool has one to spare.
                _renewals.Connect();
            }

            _isFit = true;
        }
        catch (Exception e) when (IsOfTheServer(e, "examine the server", null, isCommitSent: false, cancellationToken, out var failure))
        {
            throw failure;
        }
    }

    public async Task<IReadOnlyList<RenewalReply>> RenewAsync(IReadOnlyList<RenewalRequest> requests, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(requests);
        if (requests.Count == 0)
        {
            return [];
        }

        // On the watchdog's thread throughout, to which its context leads back.
        if (!_isFit)
        {
            await EnsureFitAsync(cancellationToken).ConfigureAwait(true);
        }

        return await _renewals.RunAsync(requests, requests.Count == 1 ? $"renew the lock '{requests[0].LockName}'" : $"renew several locks, among them '{requests[0].LockName}'", cancellationToken).ConfigureAwait(true);
    }

    public Task<ReleaseReply> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        return ReleaseAsync(request).WaitAsync(cancellationToken);
    }

    public async Task<IAsyncDisposable> SubscribeAsync(string nodeId, Action<LockNotification> handler, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(nodeId);
        ArgumentNullException.ThrowIfNull(handler);
        const string action = "listen for the locks that are passed to this node";
        if (!_isFit)
        {
            await EnsureFitAsync(cancellationToken).ConfigureAwait(false);
        }

        try
        {
            return await _subscriptions.BeginAsync(nodeId, handler, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (IsOfTheServer(e, action, null, isCommitSent: false, cancellationToken, out var failure))
        {
            throw failure;
        }
    }

    /// <inheritdoc cref="Sweep.RunAsync"/>
    public Task<int> ForgetAsync(CancellationToken cancellationToken) => _sweep.RunAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        _renewals.Dispose();
        await _subscriptions.DisposeAsync().ConfigureAwait(false);
        _busy.Dispose();
    }

    public void Dispose()
    {
        // A container that is disposed synchronously: nothing is awaited, the subscriptions end behind it.
        _ = DisposeAsync().AsTask();
    }

    private async Task<ReleaseReply> ReleaseAsync(ReleaseRequest request)
    {
        await _acquisitions.EndOfAsync(request).ConfigureAwait(false);
        var (reply, clock) = await ChangeAsync(request.LockName, "release the lock", request, LockProtocol.Release, request.Share is not null, make: false, request.LeaseDuration, CancellationToken.None).ConfigureAwait(false);
        _sweep.BeginIfDue();
        return reply.Handover is { } handover ? reply with { Handover = handover with { StoreClock = clock } } : reply;
    }

    private Task<(TReply Reply, long Clock)> ChangeAsync<TRequest, TReply>(
        string lockName, string action, TRequest request, Func<LockState, TRequest, DateTimeOffset, LockChange<TReply>> ask, bool withShares, bool make, TimeSpan? lease, CancellationToken cancellationToken) =>
        TransactAsync<(TReply, long)>(
            [lockName],
            action,
            make,
            withShares,
            lease,
            (rows, transaction) =>
            {
                var row = rows[lockName];
                var change = ask(row.State, request, rows.Now);
                if (row.IsThere)
                {
                    transaction.Write(row, change.State);
                }

                // Also of what an earlier try of the same call has done: whoever is told that a run of an occurrence has ended sends it no more.
                transaction.MustConfirm = row.IsThere && (change.Reply is not AcquireReply reply || MustConfirm(reply));
                return ((change.Reply, rows.Clock), [.. change.Notifications]);
            },
            cancellationToken);

    /// <summary>Locks rows, changes them and commits; and then tells the nodes of this process, as the server tells the others.</summary>
    /// <param name="names">The locks.</param>
    /// <param name="action">What is done, for messages.</param>
    /// <param name="make">Whether to make the rows that are missing.</param>
    /// <param name="withShares">Whether locks that several may hold are meant.</param>
    /// <param name="lease">The lease that depends on it; null for none.</param>
    /// <param name="change">Changes them.</param>
    /// <param name="cancellationToken">Ends it until the first statement is sent.</param>
    /// <param name="skipsLocked">Whether to leave out the rows that somebody else has locked, and to wait for nothing else either.</param>
    private async Task<TReply> TransactAsync<TReply>(
        string[] names,
        string action,
        bool make,
        bool withShares,
        TimeSpan? lease,
        Func<LockRows, LockTransaction, (TReply Reply, LockNotification[] Told)> change,
        CancellationToken cancellationToken,
        bool skipsLocked = false)
    {
        if (!_isFit)
        {
            await EnsureFitAsync(cancellationToken).ConfigureAwait(false);
        }

        LockTransaction? transaction = null;
        LentConnection? connection = null;
        var (isBusy, hasPlace, timesMissing, timesEnded) = (false, false, 0, 0);
        var wait = _limits.BeginWait(lease);
        try
        {
            while (true)
            {
                isBusy = !skipsLocked && (isBusy || _busy.HasAny(names));
                if (isBusy)
                {
                    if (hasPlace)
                    {
                        // Others have their turn.
                        _busy.Leave();
                        hasPlace = false;
                    }

                    hasPlace = await _busy.EnterAsync(wait.Left, cancellationToken).ConfigureAwait(false) ? true : throw Busy(action, names[0]);
                }

                connection = await _database.OpenAsync(cancellationToken).ConfigureAwait(false);
                cancellationToken.ThrowIfCancellationRequested();
                transaction = new LockTransaction(connection.Connection, _statements, _limits, connection) { LockTimeout = skipsLocked ? TransactionLimits.BriefLockTimeout : wait.LockTimeoutFor(isBusy) };
                LockRows rows;
                try
                {
                    rows = await transaction.BeginAsync(names, make, withShares, skipsLocked).ConfigureAwait(false);
                    _busy.Passed(skipsLocked ? Array.FindAll(names, rows.Has) : names);
                }
                catch (PostgresException locked) when (!skipsLocked && PostgreSqlErrorClassifier.IsOfLockedRow(locked))
                {
                    _busy.Found(names);
                    if (!wait.HasTime)
                    {
                        throw;
                    }

                    isBusy = true;
                    await connection.DisposeAsync().ConfigureAwait(false);
                    connection = null;
                    continue;
                }
                catch (PostgresException idle) when (timesEnded < _database.MaxConnections && PostgreSqlErrorClassifier.IsOfIdleSession(idle))
                {
                    // While nobody used it. Others of the pool may have ended as well.
                    timesEnded++;
                    await connection.DisposeAsync().ConfigureAwait(false);
                    connection = null;
                    continue;
                }

                if (make && !Array.TrueForAll(names, rows.Has))
                {
                    // It was forgotten between the two statements.
                    await connection.DisposeAsync().ConfigureAwait(false);
                    connection = null;
                    if (++timesMissing == MostTurns)
                    {
                        throw new LockStoreException($"Cannot {action} '{names[0]}' now: its row is deleted again and again.", isTransient: true) { MayBeApplied = false };
                    }

                    continue;
                }

                if (!skipsLocked)
                {
                    await _ended.KeepAsync(transaction, rows).ConfigureAwait(false);
                }

                var (reply, told) = change(rows, transaction);
                AddNotices(transaction, told, rows.Clock);
                if (transaction.HasToCommit)
                {
                    try
                    {
                        await transaction.CommitAsync().ConfigureAwait(false);
                    }
                    catch (PostgresException guarded) when (!skipsLocked && wait.HasTime && PostgreSqlErrorClassifier.IsOfLockedRow(guarded))
                    {
                        // Who ends a grant waits for the transactions that it guards.
                        isBusy = true;
                        await connection.DisposeAsync().ConfigureAwait(false);
                        connection = null;
                        if (transaction.WaitsBriefly)
                        {
                            await Task.Delay(PauseWhileGuarding, cancellationToken).ConfigureAwait(false);
                        }

                        continue;
                    }
                }
                else
                {
                    // Whoever asked need not wait for the end of what changed nothing.
                    _ = RollBackAsync(connection);
                    connection = null;
                }

                foreach (var notification in told)
                {
                    _subscriptions.TryTell(notification.Handover is { } handover ? notification with { Handover = handover with { StoreClock = rows.Clock } } : notification);
                }

                return reply;
            }
        }
        catch (Exception e) when (IsOfTheServer(e, action, names[0], transaction?.IsCommitSent == true, cancellationToken, out var failure))
        {
            throw failure;
        }
        finally
        {
            if (connection is not null)
            {
                await connection.DisposeAsync().ConfigureAwait(false);
            }

            if (hasPlace)
            {
                _busy.Leave();
            }
        }
    }

    private static LockStoreException Busy(string action, string lockName) =>
        new($"Cannot {action} '{lockName}' now: somebody else keeps its row locked, and so many others that calls for them have all the connections that they may have.", isTransient: true) { MayBeApplied = false, IsLockBusy = true };

    /// <summary>Whether somebody begins or leaves out work because of it.</summary>
    private static bool MustConfirm(AcquireReply reply) => reply.IsGranted || reply.OccurrenceStatus == OccurrenceStatus.AlreadyRun;

    /// <summary>
    /// Tells the nodes of other processes with the commit, and nobody where there are none. That a holder is revoked or asked to step down, or that a waiter is to ask, harms nobody who is
    /// told it of a commit that a failover loses. Of a handover the next holder would begin to work: where a standby confirms commits it is told to ask, and its claim waits for the standby.
    /// </summary>
    private void AddNotices(LockTransaction transaction, LockNotification[] told, long clock)
    {
        foreach (var notification in told)
        {
            if (!_subscriptions.IsOurs(notification.Owner!))
            {
                transaction.Tell(
                    _subscriptions.ChannelOf(notification.Owner!.NodeId),
                    NotificationText.Write(notification, clock),
                    NotificationText.Write(notification with { Handover = null }, clock),
                    byMail: !_subscriptions.AreToldByServer);
            }
        }
    }

    private async Task RollBackAsync(LentConnection connection)
    {
        // Not with the end of the connection, of which an application's pool waits for longer.
        await connection.CloseAsync(
            async connection =>
            {
                using var rollback = new NpgsqlCommand(Statements.Rollback, connection) { CommandTimeout = _limits.CommandSeconds };
                await rollback.ExecuteNonQueryAsync().ConfigureAwait(false);
            },
            _limits.Reply).ConfigureAwait(false);
    }

    private bool IsOfTheServer(
        Exception exception, string action, string? lockName, bool isCommitSent, CancellationToken cancellationToken, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out LockStoreException? failure)
    {
        failure = null;
        return !(exception is OperationCanceledException && cancellationToken.IsCancellationRequested)
            && PostgreSqlErrorClassifier.TryClassify(exception, lockName is null ? action : $"{action} '{lockName}'", _database.Address, isCommitSent, out failure);
    }
}
