using System.Collections.Concurrent;
using Coordination.Stores;
using Coordination.TestKit.Waiting;

namespace Coordination.Redis.Tests.Clocks;

/// <summary>
/// The server's clock is set forward under a queue. Its waiters asked while the lease of the holder was short, and the holder renewed it with a longer
/// one since: so it holds the lock over the step, and they count as dead. A script has no clock but the one that is set, so to it a step is the same as
/// waiters that have not asked for as long.
/// </summary>
public sealed class ClockSetForwardTests : ClockTests
{
    private const string Name = "orders";
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ClaimWindow = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(5);

    private readonly LockOwner _ada = new("host-1-ada", 1);
    private readonly LockOwner _bob = new("host-2-bob", 1);
    private readonly LockOwner _carol = new("host-3-carol", 1);
    private readonly LockOwner _dave = new("host-4-dave", 1);
    private readonly ConcurrentQueue<LockNotification> _heardByBob = [];

    [Fact]
    [Promise("G7")]
    [Failure("F45")]
    [Due("waiters that count as alive over a step of the clock", "Not within")]
    public async Task A_release_tells_the_first_waiter()
    {
        await using var subscription = await Store.SubscribeAsync(_bob.NodeId, _heardByBob.Enqueue, Token);
        await QueueAndStepAsync(TimeSpan.FromMinutes(1), afterTheStep: Lease);

        await ReleaseAsync(_ada);

        await Eventually.IsTrueAsync(() => _heardByBob.Any(told => told.Kind is LockNotificationKind.Granted or LockNotificationKind.AskAgain), Bound, "the first waiter is told");
    }

    [Fact]
    [Promise("G9")]
    [Failure("F45")]
    [Due("waiters that count as alive over a step of the clock", "overtakes")]
    public async Task A_newcomer_does_not_overtake()
    {
        await QueueAndStepAsync(TimeSpan.FromMinutes(1), afterTheStep: Lease);

        await ReleaseAsync(_ada);

        Assert.False(await AskAsync(_dave, wait: false), "A newcomer overtakes those who wait.");
        Assert.True(await AskAsync(_bob));
    }

    /// <summary>Whoever has been dead for a minute is taken out of the queue.</summary>
    [Fact]
    [Promise("G9")]
    [Failure("F45")]
    public async Task Waiters_that_are_heard_of_again_keep_their_places_after_a_small_step() => await AskAgainAsync(TimeSpan.FromSeconds(30));

    [Fact]
    [Promise("G9")]
    [Failure("F45")]
    public async Task Waiters_that_are_heard_of_again_keep_their_places_after_a_great_step() => await AskAgainAsync(TimeSpan.FromHours(1));

    private async Task AskAgainAsync(TimeSpan step)
    {
        await QueueAndStepAsync(step, afterTheStep: TimeSpan.FromSeconds(20));
        Assert.False(await AskAsync(_carol));
        Assert.False(await AskAsync(_bob));

        await ReleaseAsync(_ada);

        var holder = await Node.Administration.GetHolderAsync(Name, Token);
        Assert.True(_bob == holder?.Owner, $"The first waiter lost its place: {holder?.Owner} has the lock.");
        Assert.True(await AskAsync(_bob));
        await ReleaseAsync(_bob);
        Assert.Equal(_carol, (await Node.Administration.GetHolderAsync(Name, Token))?.Owner);
    }

    /// <summary>Ada holds the lock, Bob and Carol wait for it, and the clock is set forward by more than they count as alive.</summary>
    private async Task QueueAndStepAsync(TimeSpan step, TimeSpan afterTheStep)
    {
        Assert.True((await Store.AcquireAsync(Requests.Acquire(Name, _ada, Lease, claimWindow: ClaimWindow), Token)).IsGranted);
        Assert.False(await AskAsync(_bob));
        Assert.False(await AskAsync(_carol));
        Assert.Equal([RenewalReply.Renewed], await Store.RenewAsync([Requests.Renew(Name, _ada, step + afterTheStep)], Token));
        Clock!.Offset = step;
        Assert.Equal(_ada, (await Node.Administration.GetHolderAsync(Name, Token))?.Owner);
    }

    private async Task<bool> AskAsync(LockOwner owner, bool wait = true) =>
        (await Store.AcquireAsync(Requests.Acquire(Name, owner, Lease, wait: wait, claimWindow: ClaimWindow), Token)).IsGranted;

    private async Task ReleaseAsync(LockOwner owner) =>
        Assert.Equal(ReleaseReply.Released, await Store.ReleaseAsync(Requests.Release(Name, owner, ClaimWindow), Token));
}
