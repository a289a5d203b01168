using Coordination.Stores;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Coordination.Testing.Tests;

public class ControllableLockStoreTests
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan ClaimWindow = TimeSpan.FromSeconds(2);

    private readonly FakeTimeProvider _time = new();
    private readonly ControllableLockStore _store;

    public ControllableLockStoreTests() => _store = new ControllableLockStore(_time);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_keeps_locks_while_nothing_is_asked_of_it()
    {
        var a = new LockOwner("a", 1);

        var granted = await AcquireAsync(a);
        var refused = await AcquireAsync(new LockOwner("b", 1), wait: false);

        Assert.True(granted.IsGranted);
        Assert.False(refused.IsGranted);
        Assert.True(await RenewAsync(a));
        Assert.Equal(a, (await _store.GetHolderAsync("lock", Cancel))!.Owner);
        Assert.Equal(ReleaseReply.Released, await ReleaseAsync(a));
        await _store.PingAsync(Cancel);
    }

    [Fact]
    public async Task A_lost_lock_is_nobodys()
    {
        var a = new LockOwner("a", 1);
        await AcquireAsync(a);

        Assert.True(_store.LoseLock("lock"));

        Assert.False(_store.LoseLock("lock"));
        Assert.Null(await _store.GetHolderAsync("lock", Cancel));
        Assert.False(await RenewAsync(a));
    }

    [Fact]
    [Failure("F18")]
    public async Task A_holder_learns_at_its_next_renewal_that_its_lock_was_lost()
    {
        await using var node = Node();
        await using var lease = await node.GetRequiredService<ILockProvider>().GetLock("lock").AcquireAsync(Cancel);

        _store.LoseLock("lock");

        Assert.Equal(RenewalResult.NotHeld, await lease.RenewAsync(Cancel));
        Assert.True(lease.Lost.IsCancellationRequested);
        Assert.Equal(LeaseLossReason.NotOwner, lease.LossReason);
    }

    [Fact]
    [Failure("F11")]
    public async Task Failing_renewals_leave_the_lease_in_doubt_and_other_calls_alone()
    {
        await using var node = Node();
        await using var lease = await node.GetRequiredService<ILockProvider>().GetLock("lock").AcquireAsync(Cancel);

        _store.FailRenewals = true;
        var e = await Assert.ThrowsAsync<LockStoreException>(() => RenewAsync(lease.Owner));
        await _store.PingAsync(Cancel);

        Assert.True(e.IsTransient);
        Assert.False(lease.Lost.IsCancellationRequested);

        _store.FailRenewals = false;
        Assert.Equal(RenewalResult.Renewed, await lease.RenewAsync(Cancel));
        Assert.Equal(LeaseState.Held, lease.State);
    }

    [Fact]
    public async Task While_it_is_away_every_call_fails_and_may_be_tried_again()
    {
        var a = new LockOwner("a", 1);
        await AcquireAsync(a);

        _store.IsAway = true;

        Func<Task>[] calls =
        [
            () => AcquireAsync(a),
            () => RenewAsync(a),
            () => ReleaseAsync(a),
            () => _store.GetHolderAsync("lock", Cancel),
            () => _store.PingAsync(Cancel),
            () => _store.SubscribeAsync("a", _ => { }, Cancel),
        ];
        foreach (var call in calls)
        {
            Assert.True((await Assert.ThrowsAsync<LockStoreException>(call)).IsTransient);
        }

        _store.IsAway = false;
        Assert.True(await RenewAsync(a));
    }

    [Fact]
    [Failure("F23")]
    public async Task A_release_that_is_cancelled_while_it_hangs_is_carried_out_when_it_goes_on()
    {
        var a = new LockOwner("a", 1);
        await AcquireAsync(a);
        _store.Hang = true;

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => _store.ReleaseAsync(Requests.Release("lock", a, ClaimWindow), new CancellationToken(canceled: true)));
        Assert.Equal(1, _store.Count);

        _store.Hang = false;
        Assert.True(SpinWait.SpinUntil(() => _store.Count == 0, TimeSpan.FromMinutes(1)), "The lock is free.");
    }

    [Fact]
    [Failure("F2")]
    public async Task Nodes_are_told_when_it_is_back()
    {
        var heard = new List<LockNotification>();
        await using (await _store.SubscribeAsync("a", heard.Add, Cancel))
        {
            _store.IsAway = true;
            _store.IsAway = false;
            _store.IsAway = false;
        }

        _store.IsAway = true;
        _store.IsAway = false;
        Assert.Equal(LockNotificationKind.Reconnected, Assert.Single(heard).Kind);
    }

    [Fact]
    public async Task A_lease_runs_out_while_it_is_away()
    {
        await AcquireAsync(new LockOwner("a", 1));
        _store.IsAway = true;
        _time.Advance(Lease);
        _store.IsAway = false;

        Assert.True((await AcquireAsync(new LockOwner("b", 1))).IsGranted);
    }

    [Fact]
    [Failure("F13")]
    public async Task A_hanging_call_completes_when_it_is_let_go()
    {
        _store.Hang = true;
        var call = AcquireAsync(new LockOwner("a", 1));
        Assert.False(call.IsCompleted);
        Assert.Equal(1, _store.GetCallCount(StoreOperation.Acquire));

        _store.Hang = false;

        Assert.True((await call).IsGranted);
    }

    [Fact]
    [Failure("F13")]
    public async Task A_hanging_call_ends_when_it_is_cancelled()
    {
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        _store.Hang = true;
        var call = _store.PingAsync(cancel.Token);

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
    }

    [Fact]
    [Failure("F3")]
    public async Task A_lost_reply_is_that_of_a_call_that_was_carried_out()
    {
        var a = new LockOwner("a", 1);
        _store.LoseNextReply(StoreOperation.Acquire);

        var e = await Assert.ThrowsAsync<LockStoreException>(() => AcquireAsync(a));

        Assert.True(e.IsTransient);
        Assert.Equal(a, (await _store.GetHolderAsync("lock", Cancel))!.Owner);
        Assert.True((await AcquireAsync(a)).IsGranted);
    }

    [Fact]
    public async Task A_waiter_is_told_of_its_grant_unless_notifications_are_dropped()
    {
        var heard = new List<LockNotification>();
        var (a, b) = (new LockOwner("a", 1), new LockOwner("b", 1));
        await using var subscription = await _store.SubscribeAsync("b", heard.Add, Cancel);
        await AcquireAsync(a);
        await AcquireAsync(b);
        _store.DropNotifications = true;
        await ReleaseAsync(a);
        Assert.Empty(heard);

        _store.DropNotifications = false;
        await AcquireAsync(a);
        await ReleaseAsync(b);
        await AcquireAsync(b);
        await ReleaseAsync(a);

        Assert.Equal(LockNotification.Granted("lock", b), Assert.Single(heard) with { Handover = null });
    }

    [Fact]
    [Promise("G3")]
    public async Task A_lock_that_is_granted_to_a_stranger_has_a_greater_token_and_passes_over_waiters()
    {
        var a = new LockOwner("a", 1);
        var before = (await AcquireAsync(a)).FencingToken;
        await AcquireAsync(new LockOwner("b", 1));

        var stranger = _store.GrantTo("lock", "stranger");

        var holder = await _store.GetHolderAsync("lock", Cancel);
        Assert.Equal("stranger", stranger.NodeId);
        Assert.Equal(stranger, holder!.Owner);
        Assert.True(holder.FencingToken > before);
        Assert.False(await RenewAsync(a));
    }

    [Fact]
    public async Task Calls_are_counted_also_when_they_fail()
    {
        await _store.PingAsync(Cancel);
        _store.IsAway = true;
        await Assert.ThrowsAsync<LockStoreException>(() => _store.PingAsync(Cancel));

        Assert.Equal(2, _store.GetCallCount(StoreOperation.Ping));
        Assert.Equal(0, _store.GetCallCount(StoreOperation.Renew));
    }

    [Fact]
    [Promise("G1")]
    public async Task Hosts_that_share_a_store_are_nodes_of_their_own_and_do_not_dispose_it()
    {
        var one = Node();
        await using var other = Node();
        var lease = await one.GetRequiredService<ILockProvider>().GetLock("lock").AcquireAsync(Cancel);

        Assert.Null(await other.GetRequiredService<ILockProvider>().GetLock("lock").TryAcquireAsync(Cancel));

        await lease.ReleaseAsync(Cancel);
        await one.DisposeAsync();
        await using var next = await other.GetRequiredService<ILockProvider>().GetLock("lock").TryAcquireAsync(Cancel);
        Assert.NotNull(next);
    }

    [Fact]
    public void It_replaces_the_store_that_was_chosen_before()
    {
        using var services = new ServiceCollection().AddCoordination().UseInMemory().UseControllableStore(_store).Services.BuildServiceProvider();

        Assert.Same(_store, Assert.Single(services.GetServices<ILockStore>()));
    }

    private ServiceProvider Node() => new ServiceCollection()
        .AddSingleton<TimeProvider>(_time)
        .AddCoordination(o => o.LeaseDuration = Lease)
        .UseControllableStore(_store)
        .Services.BuildServiceProvider();

    private Task<AcquireReply> AcquireAsync(LockOwner owner, bool wait = true) =>
        _store.AcquireAsync(Requests.Acquire("lock", owner, Lease, wait: wait, claimWindow: ClaimWindow), Cancel);

    private async Task<bool> RenewAsync(LockOwner owner) => (await _store.RenewAsync([Requests.Renew("lock", owner, Lease)], Cancel))[0] == RenewalReply.Renewed;

    private Task<ReleaseReply> ReleaseAsync(LockOwner owner) =>
        _store.ReleaseAsync(Requests.Release("lock", owner, ClaimWindow), Cancel);
}
