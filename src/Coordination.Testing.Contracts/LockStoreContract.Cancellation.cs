using Coordination.Stores;
using Coordination.Testing.Contracts.Waiting;

#pragma warning disable CS1591, RS0016 // Tests say by their names what they show, and are no interface to code against.

namespace Coordination.Testing.Contracts;

/// <content>What a token that is cancelled does not keep from being sent.</content>
public abstract partial class LockStoreContract
{
    [Fact]
    [Failure("F23")]
    public async Task A_release_is_sent_with_a_token_that_is_cancelled_already()
    {
        await GrantAsync(Ada);
        await ReleaseWithCancelledTokenAsync(Ada);
        await Eventually.IsTrueAsync(async () => await HolderAsync() is null, Bound);
        await AssertNothingLeftAsync(LockName);
    }

    [Fact]
    [Failure("F23")]
    public async Task The_undo_of_an_acquisition_is_sent_with_a_token_that_is_cancelled_already()
    {
        // One entry more than the holder knows of.
        await GrantAsync(Ada);
        Assert.True((await TryAsync(Ada, entry: 2)).IsGranted);
        Assert.Equal(ReleaseReply.StillHeldByOwner, await ReleaseAsync(Ada));

        await ReleaseWithCancelledTokenAsync(Ada, entry: 2);
        await Eventually.IsTrueAsync(async () => await HolderAsync() is null, Bound);
        await AssertNothingLeftAsync(LockName);
    }

    [Fact]
    [Promise("G8")]
    [Failure("F23")]
    public async Task A_waiter_leaves_the_queue_with_a_token_that_is_cancelled_already()
    {
        await GrantAsync(Ada);
        await QueueAsync(Bob, Cy);
        await ReleaseWithCancelledTokenAsync(Bob);
        await Eventually.IsTrueAsync(async () => (await Administration.InspectAsync(LockName, 10, Cancellation)).Waiters.Count == 1, Bound);

        await ReleaseAsync(Ada);
        await AssertHeldByAsync(Cy);
    }

    private async Task ReleaseWithCancelledTokenAsync(LockOwner owner, long entry = 1)
    {
        var release = Requests.Release(LockName, owner, Long, entry);

        // The reply may come before anybody looks at the token.
        var thrown = await Record.ExceptionAsync(() => Store.ReleaseAsync(release, new CancellationToken(canceled: true)).WaitAsync(Bound, Cancellation));
        Assert.True(thrown is null or OperationCanceledException, thrown?.ToString());
    }
}
