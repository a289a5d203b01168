using Coordination.Stores;
using Coordination.TestKit.Servers;
using Coordination.TestKit.Waiting;

namespace Coordination.Redis.Tests.Clocks;

/// <summary>The server's clock is set back by an hour, and other ends of life that lie too far away.</summary>
public sealed class ClockSetBackTests : ClockTests
{
    private const string Name = "orders";
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(3);

    /// <summary>The lease once more after the step, and much to spare.</summary>
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(40);

    private readonly LockOwner _ada = new("host-1-ada", 1);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [Promise("G4")]
    [Failure("F45")]
    public async Task A_dead_holders_lock_is_taken_over_within_a_lease_of_the_step(bool isRenewedAfterTheStep)
    {
        await AcquireAsync(entry: 1, Lease);
        Clock!.Offset = TimeSpan.FromHours(-1);
        if (isRenewedAfterTheStep)
        {
            await RenewAsync(Lease);
        }

        await TakeOverAsync();
    }

    [Fact]
    [Promise("G2", "G3")]
    [Failure("F45")]
    public async Task A_holder_that_renews_keeps_its_lock_over_the_step_and_the_next_token_is_greater()
    {
        await using var lease = await Node.GetLock(Name, new LockOptions { LeaseDuration = TimeSpan.FromMinutes(1) }).AcquireAsync(Token);
        Clock!.Offset = TimeSpan.FromHours(-1);

        for (var renewal = 0; renewal < 5; renewal++)
        {
            Assert.Equal(RenewalResult.Renewed, await lease.RenewAsync(Token));
        }

        Assert.Equal(ReleaseResult.Released, await lease.ReleaseAsync(Token));
        await using var next = await Node.GetLock(Name).AcquireAsync(Bound, Token);
        Assert.True(next.FencingToken > lease.FencingToken);
    }

    /// <summary>With a clock that is right.</summary>
    [Fact]
    [Promise("G4")]
    [Failure("F45")]
    public async Task A_second_entry_with_a_longer_lease_that_was_left_again_delays_no_takeover()
    {
        await AcquireAsync(entry: 1, Lease);
        await AcquireAsync(entry: 2, TimeSpan.FromMinutes(10));
        Assert.Equal(ReleaseReply.StillHeldByOwner, await Store.ReleaseAsync(Requests.Release(Name, _ada, Lease, entry: 2), Token));
        await RenewAsync(Lease);

        await TakeOverAsync();
    }

    /// <summary>A timer takes 49 days at most, and nobody tells of a key that is deleted: a waiter asks again within a minute.</summary>
    [Fact]
    [Promise("G4")]
    [Failure("F45")]
    public async Task A_waiter_of_a_lock_that_lives_for_months_has_it_soon_after_it_is_deleted()
    {
        await AcquireAsync(entry: 1, Lease);
        Clock!.Offset = TimeSpan.FromDays(-60);
        var waiting = Node.GetLock(Name).AcquireAsync(Token);
        await Eventually.IsTrueAsync(async () => waiting.IsCompleted || (await Node.Inspector.InspectAsync(Name, cancellationToken: Token)).WaiterCount == 1, Bound);
        Assert.False(waiting.IsCompleted, $"{waiting.Exception}");

        await using var connection = await Server!.ConnectAsOperatorAsync();
        Assert.True(await connection.GetDatabase().KeyDeleteAsync(LockText.KeyOf("test", Name)));

        await using var lease = await waiting.WaitAsync(TimeSpan.FromSeconds(75), Token);
        Assert.Equal(LeaseState.Held, lease.State);
    }

    private async Task AcquireAsync(long entry, TimeSpan lease) =>
        Assert.True((await Store.AcquireAsync(Requests.Acquire(Name, _ada, lease, entry), Token)).IsGranted);

    private async Task RenewAsync(TimeSpan lease) =>
        Assert.Equal([RenewalReply.Renewed], await Store.RenewAsync([Requests.Renew(Name, _ada, lease) with { Entry = 1 }], Token));

    private async Task TakeOverAsync()
    {
        await using var lease = await Node.GetLock(Name).AcquireAsync(Bound, Token);
        Assert.Equal(LeaseState.Held, lease.State);
    }
}
