using Coordination.Stores;
using Coordination.Testing.Contracts.Observations;
using Coordination.Testing.Contracts.Waiting;

namespace Coordination.Testing.Contracts;

/// <summary>
/// What every store keeps to that keeps locks which several may hold at a time, asked directly: semaphores, and locks for readers and writers. The author of such a
/// store inherits it beside <see cref="LockStoreContract"/>, and gives the store; the tests come with it. <see cref="LockShareContract"/> asks what users see of it.
/// </summary>
/// <remarks>
/// <para>It is for stores whose <see cref="ILockStore.KeepsShares"/> is true. Nothing is skipped where it is false: then every test fails, and says so. A store of exclusive locks
/// alone does not inherit it.</para>
/// <para>Leases and claim windows are long where they must not run out during a test, and short where they must; nothing is said about
/// speed. Every test uses lock names of its own, so that tests may share a server.</para>
/// </remarks>
public abstract partial class LockStoreShareContract : IAsyncLifetime
{
    /// <summary>Outlasts every test.</summary>
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    /// <summary>Runs out during the test, and not between two requests, also on a machine that lets a process wait.</summary>
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(1);

    /// <summary>How long anything may take before the test fails. Shorter than <see cref="Long"/>, which it must not wait out.</summary>
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(10);

    private static readonly LockShare OneOfTwo = LockShare.PermitOf(2);
    private static readonly LockShare OneOfThree = LockShare.PermitOf(3);

    private readonly string _run = Guid.NewGuid().ToString("N")[..8];
    private ILockStore? _store;

    /// <summary>Chooses names that no other test uses.</summary>
    protected LockStoreShareContract()
    {
        LockName = "shares-" + _run;
        Ada = Owner("ada");
        Bob = Owner("bob");
        Cy = Owner("cy");
        Dan = Owner("dan");
        Eve = Owner("eve");
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private ILockStore Store => _store!;

    /// <summary>The store looks at its locks, lists and revokes them.</summary>
    private ILockStoreAdministration Administration => Assert.IsType<ILockStoreAdministration>(_store, exactMatch: false);

    /// <summary>A name that no other test uses, so that tests may share a server.</summary>
    private string LockName { get; }

    // Each of them is on a node of its own.
    private LockOwner Ada { get; }

    private LockOwner Bob { get; }

    private LockOwner Cy { get; }

    private LockOwner Dan { get; }

    private LockOwner Eve { get; }

    /// <summary>Gives the store to test, once for each test. Whoever overrides it disposes of it in <see cref="DisposeAsync"/>.</summary>
    protected abstract Task<ILockStore> CreateStoreAsync();

    /// <summary>
    /// Makes the store lose everything it knows of this test's locks, tokens included, and nothing of another test's. Tests that need it
    /// are skipped where it is not overridden.
    /// </summary>
    protected virtual Task LoseAllDataAsync()
    {
        Assert.Skip("This store has no way to lose its data.");
        return Task.CompletedTask;
    }

    /// <summary>
    /// Lets the lease of one holder run out that nobody renews, whoever else holds the lock: waits until the store says so. A store on a clock that the test moves may move it instead.
    /// </summary>
    /// <param name="lockName">The lock.</param>
    /// <param name="owner">Who holds it.</param>
    protected virtual Task LapseAsync(string lockName, LockOwner owner) => Eventually.IsTrueAsync(
        async () => (await Administration.InspectAsync(lockName, 0, Cancellation)).Holders.All(holder => holder.Owner != owner), Bound, $"The lease of '{lockName}' by {owner} lapses.");

    /// <summary>
    /// Shows that nothing but the last token is left of a lock: it is free, and nobody stands in its queue. Override it to look inside the
    /// store as well, and call the base.
    /// </summary>
    /// <param name="lockName">The lock.</param>
    protected virtual async Task AssertNothingLeftAsync(string lockName)
    {
        var inspection = await Administration.InspectAsync(lockName, 10, Cancellation);
        Assert.Empty(inspection.Holders);
        Assert.Equal(0, inspection.WaiterCount);
        Assert.True(await Leftovers.IsNothingAsync(Store, lockName), $"Something is left of the lock '{lockName}'.");
    }

    /// <summary>Gets the store. Whoever overrides it gets its server ready first, and calls the base.</summary>
    public virtual async ValueTask InitializeAsync()
    {
        _store = await CreateStoreAsync();
        Assert.True(_store.KeepsShares, $"{nameof(ILockStore)}.{nameof(ILockStore.KeepsShares)} of the store '{_store.Name}' is false. Only a store that keeps locks which several may hold inherits {nameof(LockStoreShareContract)}.");
    }

    /// <summary>Ends the test: override it to dispose of the store.</summary>
    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    private LockOwner Owner(string node, long sequence = 1) => new($"{node}-{_run}", sequence);

    private Task<AcquireReply> TryAsync(LockOwner owner, LockShare? share, TimeSpan? lease = null, string? lockName = null) =>
        Store.AcquireAsync(Requests.Acquire(lockName ?? LockName, owner, lease ?? Long) with { Share = share }, Cancellation).WaitAsync(Bound, Cancellation);

    private Task<AcquireReply> AskAsync(LockOwner owner, LockShare? share, TimeSpan? lease = null, TimeSpan? claimWindow = null, string? lockName = null) =>
        Store.AcquireAsync(Requests.Acquire(lockName ?? LockName, owner, lease ?? Long, wait: true, claimWindow: claimWindow ?? Long) with { Share = share }, Cancellation).WaitAsync(Bound, Cancellation);

    private Task<ReleaseReply> ReleaseAsync(
        LockOwner owner, LockShare? share, TimeSpan? claimWindow = null, TimeSpan lockAtLeastFor = default, long entry = 1, string? lockName = null) =>
        Store.ReleaseAsync(Requests.Release(lockName ?? LockName, owner, claimWindow ?? Long, entry, lockAtLeastFor: lockAtLeastFor) with { Share = share }, Cancellation).WaitAsync(Bound, Cancellation);

    private async Task<RenewalReply> RenewAsync(LockOwner owner, LockShare? share, TimeSpan? lease = null, long? token = null) =>
        Assert.Single(await Store.RenewAsync([Requests.Renew(LockName, owner, lease ?? Long, token) with { Share = share }], Cancellation).WaitAsync(Bound, Cancellation));

    /// <summary>Takes the lock, where there is room.</summary>
    private async Task<AcquireReply> GrantAsync(LockOwner owner, LockShare? share, TimeSpan? lease = null)
    {
        var reply = await TryAsync(owner, share, lease);
        Assert.True(reply.IsGranted, $"{owner} has no {share} beside {reply.Holder}.");
        return reply;
    }

    /// <summary>Joins the queue, where the owner has to wait.</summary>
    private async Task QueueAsync(LockShare? share, params LockOwner[] owners)
    {
        foreach (var owner in owners)
        {
            Assert.False((await AskAsync(owner, share)).IsGranted);
        }
    }

    private Task<LockInspection> InspectAsync(int maxWaiters = 100) => Administration.InspectAsync(LockName, maxWaiters, Cancellation).WaitAsync(Bound, Cancellation);

    /// <summary>One holder among several.</summary>
    private async Task<LockHolder> HolderAsync(LockOwner owner) => Assert.Single((await InspectAsync()).Holders, holder => holder.Owner == owner);

    /// <summary>Those and no others hold the lock, in whatever order.</summary>
    private async Task AssertHeldByAsync(params LockOwner[] owners) =>
        Assert.Equal(owners.Select(owner => owner.ToString()).Order(StringComparer.Ordinal), (await InspectAsync()).Holders.Select(holder => holder.Owner.ToString()).Order(StringComparer.Ordinal));

    private async Task AssertWaitingAsync(params LockOwner[] owners) => Assert.Equal(owners, (await InspectAsync()).Waiters.Where(waiter => waiter.IsAlive).Select(waiter => waiter.Owner));

    /// <summary>A store may tell how the lock was handed over, and then it tells all of it.</summary>
    private void AssertGrant(LockOwner owner, LockNotification told)
    {
        Assert.Equal(LockNotification.Granted(LockName, owner), told with { Handover = null });
        Assert.True(told.Handover is null or { Entry: > 0, FencingToken: > 0 }, $"The handover is {told.Handover}.");
    }

    private async Task<IAsyncDisposable> ListenAsync(LockOwner owner, Heard heard) =>
        await Store.SubscribeAsync(owner.NodeId, heard.Add, Cancellation).WaitAsync(Bound, Cancellation);

    /// <summary>Waits until some time has passed on the store's own clock: a lock that is granted now for that long has lapsed.</summary>
    private async Task PassAsync(TimeSpan time)
    {
        var (clock, owner) = (LockName + "-clock", Owner("clock"));
        await Store.AcquireAsync(Requests.Acquire(clock, owner, time, claimWindow: Short), Cancellation);
        await LapseAsync(clock, owner);
    }
}
