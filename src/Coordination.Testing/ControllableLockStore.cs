using System.Collections.Concurrent;
using System.Data.Common;
using Coordination.Stores;
using Coordination.Stores.InMemory;

namespace Coordination.Testing;

/// <summary>
/// A lock store in memory that does on demand what a real one does on a bad day: it loses a lock, fails, hangs, loses replies, or
/// tells nobody. For tests of what a service does when it is not, or no longer, the leader.
/// </summary>
/// <remarks>
/// Several hosts may share one instance and are then several nodes. A host does not dispose it. With a <see cref="TimeProvider"/> that
/// the test moves by hand, given to the store and registered in the hosts, leases run out only when the test says so. All members may
/// be used from any thread.
/// </remarks>
public sealed class ControllableLockStore : ILockStore, ILockStoreAdministration, ITransactionalFence
{
    private static readonly TimeSpan StrangersLease = TimeSpan.FromDays(1);
    private static readonly DurationRange StrangersLeases = DurationRange.UpTo(TimeSpan.MaxValue, "null for a day");

    private readonly InMemoryLockStore _store;
    private readonly ConcurrentDictionary<Subscription, byte> _subscriptions = [];
    private readonly Lock _gate = new();
    private readonly int[] _calls = new int[Enum.GetValues<StoreOperation>().Length];
    private readonly int[] _repliesToLose = new int[Enum.GetValues<StoreOperation>().Length];
    private TaskCompletionSource? _hang;
    private long _strangers;
    private volatile bool _isAway;
    private volatile bool _failRenewals;
    private volatile bool _dropNotifications;

    /// <summary>Makes an empty store on which nothing fails.</summary>
    /// <param name="timeProvider">The clock by which leases run out; null for the system's.</param>
    public ControllableLockStore(TimeProvider? timeProvider = null) => _store = new InMemoryLockStore(timeProvider);

    /// <inheritdoc/>
    public string Name => "controllable";

    /// <inheritdoc/>
    public bool KeepsShares => true;

    /// <summary>
    /// Whether every call fails with a transient <see cref="LockStoreException"/> and nobody is notified, as with a server that is
    /// away. Locks are kept, and run out, meanwhile. When it turns false the nodes are told that the connection is back.
    /// </summary>
    public bool IsAway
    {
        get => _isAway;
        set
        {
            lock (_gate)
            {
                if (_isAway == value)
                {
                    return;
                }

                _isAway = value;
            }

            if (!value)
            {
                foreach (var subscription in _subscriptions.Keys)
                {
                    subscription.Pass(LockNotification.Reconnected);
                }
            }
        }
    }

    /// <summary>Whether renewals, and only they, fail with a transient <see cref="LockStoreException"/>: the leases come in doubt.</summary>
    public bool FailRenewals
    {
        get => _failRenewals;
        set => _failRenewals = value;
    }

    /// <summary>
    /// Whether calls do not return. They go on when it turns false; a call that is cancelled while it hangs is not carried out, unless it is
    /// a release.
    /// </summary>
    public bool Hang
    {
        get => Volatile.Read(ref _hang) is not null;
        set
        {
            TaskCompletionSource? released = null;
            lock (_gate)
            {
                if (value)
                {
                    // Continuations must not run in here, under the lock and on the test's thread.
                    _hang ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                }
                else
                {
                    released = Interlocked.Exchange(ref _hang, null);
                }
            }

            released?.TrySetResult();
        }
    }

    /// <summary>Whether nodes are told nothing. Waiters still get the lock, when they ask again by themselves.</summary>
    public bool DropNotifications
    {
        get => _dropNotifications;
        set => _dropNotifications = value;
    }

    /// <summary>
    /// Takes a lock from whoever holds it, as an operator does who deletes its key or a server that lost its data. The holder
    /// learns of it at its next renewal.
    /// </summary>
    /// <param name="lockName">The lock. A service's is <c>{application}/{type}</c> unless it was given another.</param>
    /// <returns>Whether anyone held it.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="lockName"/> is null.</exception>
    public bool LoseLock(string lockName) => _store.Delete(lockName);

    /// <summary>
    /// Gives a lock to another node, whoever holds it or waits for it. A holder learns of it at its next renewal; the stranger holds
    /// the lock until its lease ends, until <see cref="LoseLock"/>, or until it is released. Nodes that wait for the lock know when the lease
    /// ends, and may sleep until then after a <see cref="LoseLock"/>, of which nobody tells them.
    /// </summary>
    /// <param name="lockName">The lock.</param>
    /// <param name="nodeId">The node that is to hold it. Not empty, and without a slash.</param>
    /// <param name="leaseDuration">How long it holds the lock; it does not renew. Greater than zero. Null, the default, for a day.</param>
    /// <returns>The owner that holds the lock now.</returns>
    /// <exception cref="ArgumentException">The name is null, or the node id is empty or has a slash.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The lease duration is zero or less.</exception>
    public LockOwner GrantTo(string lockName, string nodeId, TimeSpan? leaseDuration = null)
    {
        StrangersLeases.Validate(nameof(leaseDuration), nameof(leaseDuration), leaseDuration);
        var stranger = new LockOwner(nodeId, Interlocked.Increment(ref _strangers));
        _store.Assign(lockName, stranger, leaseDuration ?? StrangersLease);
        return stranger;
    }

    /// <summary>Gives the first permits of a semaphore to strangers, one to each, for a day.</summary>
    internal void GrantPermits(string lockName, int permits, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var request = new AcquireRequest
            {
                LockName = lockName,
                Owner = new LockOwner($"stranger-{i}", Interlocked.Increment(ref _strangers)),
                Entry = 1,
                LeaseDuration = StrangersLease,
                ClaimWindow = StrangersLease,
                Share = LockShare.PermitOf(permits),
            };
            _ = _store.AcquireAsync(request, CancellationToken.None);
        }
    }

    /// <summary>
    /// Carries out the next call of this kind, and then fails it with a transient <see cref="LockStoreException"/>, as when a
    /// connection is lost before the reply is read. Each use counts for one more call.
    /// </summary>
    /// <param name="operation">The kind of call.</param>
    public void LoseNextReply(StoreOperation operation) => Interlocked.Increment(ref _repliesToLose[(int)operation]);

    /// <summary>How often the nodes have called this operation; calls that failed or hang count as well.</summary>
    /// <param name="operation">The kind of call. One renewal may be for many leases.</param>
    public int GetCallCount(StoreOperation operation) => Volatile.Read(ref _calls[(int)operation]);

    /// <summary>How many locks are held or waited for; zero when nothing was left behind.</summary>
    public int Count => _store.Count;

    /// <inheritdoc/>
    public Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken) =>
        CallAsync(StoreOperation.Acquire, () => _store.AcquireAsync(request, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<AcquireReply>?> TryAcquireAllAsync(IReadOnlyList<AcquireRequest> requests, CancellationToken cancellationToken) =>
        CallAsync(StoreOperation.Acquire, () => _store.TryAcquireAllAsync(requests, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<RenewalReply>> RenewAsync(IReadOnlyList<RenewalRequest> requests, CancellationToken cancellationToken) =>
        CallAsync(StoreOperation.Renew, () => _store.RenewAsync(requests, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public Task<ReleaseReply> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken) =>
        CallAsync(StoreOperation.Release, () => _store.ReleaseAsync(request, CancellationToken.None), CancellationToken.None).WaitAsync(cancellationToken);

    /// <inheritdoc/>
    public Task<LockHolder?> GetHolderAsync(string lockName, CancellationToken cancellationToken) =>
        CallAsync(StoreOperation.GetHolder, () => _store.GetHolderAsync(lockName, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public Task<LockInspection> InspectAsync(string lockName, int maxWaiters, CancellationToken cancellationToken) =>
        CallAsync(StoreOperation.Inspect, () => _store.InspectAsync(lockName, maxWaiters, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public Task<LockPage> ListAsync(string? cursor, CancellationToken cancellationToken) =>
        CallAsync(StoreOperation.List, () => _store.ListAsync(cursor, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public Task<bool> RevokeAsync(string lockName, long fencingToken, TimeSpan claimWindow, CancellationToken cancellationToken) =>
        CallAsync(StoreOperation.Revoke, () => _store.RevokeAsync(lockName, fencingToken, claimWindow, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public Task<bool> AskToStepDownAsync(string lockName, long fencingToken, StepDownRequest request, CancellationToken cancellationToken) =>
        CallAsync(StoreOperation.StepDown, () => _store.AskToStepDownAsync(lockName, fencingToken, request, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public Task<bool> ForgetOccurrenceAsync(string lockName, string series, CancellationToken cancellationToken) =>
        CallAsync(StoreOperation.Forget, () => _store.ForgetOccurrenceAsync(lockName, series, cancellationToken), cancellationToken);

    /// <inheritdoc/>
    public Task PingAsync(CancellationToken cancellationToken) =>
        CallAsync(StoreOperation.Ping, () => Task.FromResult(true), cancellationToken);

    /// <summary>Takes any transaction.</summary>
    /// <param name="transaction">The transaction. It is not used.</param>
    public void Accept(DbTransaction transaction) => ArgumentNullException.ThrowIfNull(transaction);

    /// <summary>Does nothing: what a database does to a transaction that is not guarded is for a test on that database.</summary>
    /// <param name="transaction">The transaction. It is not used.</param>
    /// <returns>A task that has completed.</returns>
    public Task RefuseAsync(DbTransaction transaction) => Task.CompletedTask;

    /// <summary>Says whether a grant stands, for what guards transactions by its lease.</summary>
    /// <param name="request">The grant.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>Whether it stands.</returns>
    /// <exception cref="LockStoreException">It was told to fail.</exception>
    public Task<bool> PrepareGuardAsync(GuardRequest request, CancellationToken cancellationToken) =>
        CallAsync(StoreOperation.Guard, () => StandsAsync(request), cancellationToken);

    /// <summary>Says whether a grant stands in this moment. Nothing becomes of the transaction: what a database does to one whose lease has ended is for a test on that database.</summary>
    /// <param name="request">The grant.</param>
    /// <param name="transaction">Any transaction. It is not used.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>Whether it stands; where it does not, <see cref="ILease.GuardAsync"/> throws.</returns>
    /// <exception cref="LockStoreException">It was told to fail.</exception>
    public Task<bool> GuardAsync(GuardRequest request, DbTransaction transaction, CancellationToken cancellationToken) =>
        CallAsync(StoreOperation.Guard, () => StandsAsync(request), cancellationToken);

    /// <inheritdoc/>
    public Task<IAsyncDisposable> SubscribeAsync(string nodeId, Action<LockNotification> handler, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return CallAsync(StoreOperation.Subscribe, SubscribeAsync, cancellationToken);

        async Task<IAsyncDisposable> SubscribeAsync()
        {
            var subscription = new Subscription(this, handler);
            subscription.Inner = await _store.SubscribeAsync(nodeId, subscription.Pass, cancellationToken).ConfigureAwait(false);
            _subscriptions[subscription] = 0;
            return subscription;
        }
    }

    private async Task<bool> StandsAsync(GuardRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var seen = await _store.InspectAsync(request.LockName, maxWaiters: 0, CancellationToken.None).ConfigureAwait(false);
        return seen.Holders.Any(holder => holder.Owner == request.Owner && holder.FencingToken == request.FencingToken && !holder.IsReleased);
    }

    private async Task<T> CallAsync<T>(StoreOperation operation, Func<Task<T>> call, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _calls[(int)operation]);
        cancellationToken.ThrowIfCancellationRequested();
        while (Volatile.Read(ref _hang) is { } hang)
        {
            await hang.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }

        if (_isAway || (_failRenewals && operation == StoreOperation.Renew))
        {
            throw new LockStoreException($"The controllable store was told to fail this call ({operation}).", isTransient: true) { MayBeApplied = false };
        }

        var reply = await call().ConfigureAwait(false);
        if (TakeOne(ref _repliesToLose[(int)operation]))
        {
            throw new LockStoreException($"The controllable store carried out this call ({operation}) and was told to lose its reply.", isTransient: true);
        }

        return reply;
    }

    private static bool TakeOne(ref int count)
    {
        int seen;
        while ((seen = Volatile.Read(ref count)) > 0)
        {
            if (Interlocked.CompareExchange(ref count, seen - 1, seen) == seen)
            {
                return true;
            }
        }

        return false;
    }

    private sealed class Subscription(ControllableLockStore store, Action<LockNotification> handler) : IAsyncDisposable
    {
        public IAsyncDisposable? Inner { get; set; }

        public void Pass(LockNotification notification)
        {
            if (!store._dropNotifications && !store._isAway)
            {
                handler(notification);
            }
        }

        public ValueTask DisposeAsync()
        {
            store._subscriptions.TryRemove(this, out _);
            return Inner?.DisposeAsync() ?? ValueTask.CompletedTask;
        }
    }
}
