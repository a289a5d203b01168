using Coordination.Stores;
using Coordination.Testing.Contracts.Observations;
using Coordination.Testing.Contracts.Waiting;

namespace Coordination.Testing.Contracts;

/// <summary>
/// What every store keeps to, asked directly. The author of a store inherits it, and gives the store; the tests come with it.
/// <see cref="LockContract"/> asks what users see of it.
/// </summary>
/// <remarks>
/// Leases and claim windows are long where they must not run out during a test, and short where they must; nothing is said about
/// speed. Every test uses lock names of its own, so that tests may share a server.
/// </remarks>
public abstract partial class LockStoreContract : IAsyncLifetime
{
    /// <summary>Outlasts every test.</summary>
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    /// <summary>Runs out during the test, and not between two requests, also on a machine that lets a process wait.</summary>
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(1);

    /// <summary>How long anything may take before the test fails. Shorter than <see cref="Long"/>, which it must not wait out.</summary>
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(10);

    private readonly string _run = Guid.NewGuid().ToString("N")[..8];
    private ILockStore? _store;

    /// <summary>Chooses names that no other test uses.</summary>
    protected LockStoreContract()
    {
        LockName = "contract-" + _run;
        Ada = Owner("ada");
        Bob = Owner("bob");
        Cy = Owner("cy");
        Dan = Owner("dan");
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
    /// Lets a lease run out that nobody renews: waits until the store says so. A store on a clock that the test moves may move it instead.
    /// </summary>
    /// <param name="lockName">The lock.</param>
    protected virtual Task LapseAsync(string lockName) =>
        Eventually.IsTrueAsync(async () => await Administration.GetHolderAsync(lockName, Cancellation) is null, Bound, $"The lock '{lockName}' lapses.");

    /// <summary>
    /// Shows that nothing but the last token is left of a lock: it is free, and nobody stands in its queue. Override it to look inside the
    /// store as well, and call the base.
    /// </summary>
    /// <param name="lockName">The lock.</param>
    protected virtual async Task AssertNothingLeftAsync(string lockName) =>
        Assert.True(await Leftovers.IsNothingAsync(Store, lockName), $"Something is left of the lock '{lockName}'.");

    /// <summary>Gets the store. Whoever overrides it gets its server ready first, and calls the base.</summary>
    public virtual async ValueTask InitializeAsync() => _store = await CreateStoreAsync();

    /// <summary>Ends the test: override it to dispose of the store.</summary>
    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    private LockOwner Owner(string node, long sequence = 1) => new($"{node}-{_run}", sequence);

    private Task<AcquireReply> TryAsync(LockOwner owner, long entry = 1, TimeSpan? lease = null, TimeSpan? claimWindow = null, bool allowBarging = false) =>
        Store.AcquireAsync(Requests.Acquire(LockName, owner, lease ?? Long, entry: entry, claimWindow: claimWindow ?? Long, allowBarging: allowBarging), Cancellation).WaitAsync(Bound, Cancellation);

    private Task<AcquireReply> AskAsync(LockOwner owner, long entry = 1, TimeSpan? lease = null, TimeSpan? claimWindow = null) =>
        Store.AcquireAsync(Requests.Acquire(LockName, owner, lease ?? Long, entry: entry, wait: true, claimWindow: claimWindow ?? Long), Cancellation).WaitAsync(Bound, Cancellation);

    private Task<ReleaseReply> ReleaseAsync(
        LockOwner owner, long entry = 1, TimeSpan? claimWindow = null, bool allowBarging = false, TimeSpan lockAtLeastFor = default) =>
        Store.ReleaseAsync(Requests.Release(LockName, owner, claimWindow ?? Long, entry: entry, allowBarging: allowBarging, lockAtLeastFor: lockAtLeastFor), Cancellation).WaitAsync(Bound, Cancellation);

    private async Task<bool> RenewAsync(LockOwner owner, TimeSpan? lease = null) => await RenewalReplyAsync(owner, lease) == RenewalReply.Renewed;

    private async Task<RenewalReply> RenewalReplyAsync(LockOwner owner, TimeSpan? lease = null, long? token = null) =>
        Assert.Single(await Store.RenewAsync([Requests.Renew(LockName, owner, lease ?? Long, fencingToken: token)], Cancellation).WaitAsync(Bound, Cancellation));

    private Task<LockHolder?> HolderAsync() => Administration.GetHolderAsync(LockName, Cancellation).WaitAsync(Bound, Cancellation);

    private async Task<LockHolder> HeldAsync()
    {
        var holder = await HolderAsync();
        Assert.NotNull(holder);
        return holder;
    }

    private async Task<TimeSpan> TimeToLiveAsync() => (await HeldAsync()).TimeToLive;

    private async Task AssertHeldByAsync(LockOwner owner) => Assert.Equal(owner, (await HeldAsync()).Owner);

    /// <summary>A store may tell how the lock was handed over, and then it tells all of it.</summary>
    private static void AssertGrant(string lockName, LockOwner owner, LockNotification told)
    {
        Assert.Equal(LockNotification.Granted(lockName, owner), told with { Handover = null });
        Assert.True(told.Handover is null or { Entry: > 0, FencingToken: > 0 }, $"The handover is {told.Handover}.");
    }

    private async Task<long> GrantAsync(LockOwner owner, TimeSpan? lease = null) =>
        Assert.NotNull((await TryAsync(owner, lease: lease)).FencingToken);

    /// <summary>Joins the queue, where the owner has to wait.</summary>
    private async Task QueueAsync(params LockOwner[] owners)
    {
        foreach (var owner in owners)
        {
            Assert.False((await AskAsync(owner)).IsGranted);
        }
    }

    private async Task<IAsyncDisposable> ListenAsync(LockOwner owner, Heard heard) =>
        await Store.SubscribeAsync(owner.NodeId, heard.Add, Cancellation).WaitAsync(Bound, Cancellation);

    /// <summary>Waits until some time has passed on the store's own clock: a lock that is granted now for that long has lapsed.</summary>
    private async Task PassAsync(TimeSpan time)
    {
        var clock = LockName + "-clock";
        await Store.AcquireAsync(Requests.Acquire(clock, Owner("clock"), time, claimWindow: Short), Cancellation);
        await LapseAsync(clock);
    }
}
