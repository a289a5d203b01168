using Coordination.Stores;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Redis.Tests.Clocks;

/// <summary>The server's clock is set, under a lock that several hold.</summary>
public sealed class ShareClockTests : ClockTests
{
    private const string Name = "licences";
    private static readonly LockShare OneOfTwo = LockShare.PermitOf(2);
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(40);

    private readonly LockOwner _ada = new("host-1-ada", 1);
    private readonly LockOwner _bob = new("host-2-bob", 1);

    private ILock Semaphore => Node.Services.GetRequiredService<ILockProvider>().GetSemaphore(Name, OneOfTwo.Capacity.Permits);

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    [Promise("G1", "G4")]
    [Failure("F45")]
    public async Task Permits_of_dead_holders_are_free_within_a_lease_of_the_step(int hours)
    {
        await AcquireAsync(_ada);
        await AcquireAsync(_bob);
        Clock!.Offset = TimeSpan.FromHours(hours);

        await using var first = await Semaphore.AcquireAsync(Bound, Token);
        await using var second = await Semaphore.AcquireAsync(Bound, Token);
        Assert.Null(await Semaphore.TryAcquireAsync(Token));
        Assert.Equal([0, 1], new[] { first.Permit!.Value, second.Permit!.Value }.Order());
    }

    [Fact]
    [Promise("G2", "G3")]
    [Failure("F45")]
    public async Task Holders_that_renew_keep_their_permits_over_the_step_and_tokens_rise()
    {
        var tokens = new[] { await AcquireAsync(_ada), await AcquireAsync(_bob) };
        Clock!.Offset = TimeSpan.FromHours(-1);

        Assert.Equal([RenewalReply.Renewed, RenewalReply.Renewed], await Store.RenewAsync([Renewal(_ada), Renewal(_bob)], Token));
        Assert.Null(await Semaphore.TryAcquireAsync(Token));
        Assert.Equal(ReleaseOutcome.Released, (await Store.ReleaseAsync(Requests.Release(Name, _ada, Lease) with { Share = OneOfTwo }, Token)).Outcome);
        await using var next = await Semaphore.AcquireAsync(Bound, Token);
        Assert.True(next.FencingToken > tokens.Max());
    }

    private async Task<long> AcquireAsync(LockOwner owner) =>
        (await Store.AcquireAsync(Requests.Acquire(Name, owner, Lease) with { Share = OneOfTwo }, Token)).FencingToken!.Value;

    private static RenewalRequest Renewal(LockOwner owner) => Requests.Renew(Name, owner, TimeSpan.FromMinutes(1)) with { Entry = 1, Share = OneOfTwo };
}
