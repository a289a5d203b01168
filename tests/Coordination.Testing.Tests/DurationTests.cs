using Coordination.TestKit.Durations;

namespace Coordination.Testing.Tests;

/// <summary>Every duration that a test can give to the store, with every value.</summary>
public sealed class DurationTests
{
    private readonly ControllableLockStore _store = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<TimeSpan> Each => DurationValues.Each;

    [Fact]
    [Failure("F41")]
    public void Every_place_that_takes_a_duration_is_tried_here() => Assert.Equal(
        ["ControllableLockStore.GrantTo(leaseDuration)", "ControllableLockStore.RevokeAsync(claimWindow)"],
        DurationPlaces.Of(typeof(ControllableLockStore).Assembly));

    [Theory]
    [Failure("F41")]
    [MemberData(nameof(Each))]
    public async Task A_lease_that_is_granted_by_hand_works_or_is_refused(TimeSpan leaseDuration)
    {
        try
        {
            var stranger = _store.GrantTo("lock", "stranger", leaseDuration);
            if (leaseDuration > TimeSpan.FromSeconds(1))
            {
                Assert.Equal(stranger, (await _store.GetHolderAsync("lock", Cancel))!.Owner);
            }

            await _store.InspectAsync("lock", 10, Cancel);
        }
        catch (ArgumentOutOfRangeException error)
        {
            Assert.Equal(leaseDuration, error.ActualValue);
            DurationValues.AssertRefused(nameof(leaseDuration), leaseDuration, error.Message);
        }
    }

    [Theory]
    [Failure("F41")]
    [MemberData(nameof(Each))]
    public async Task A_claim_window_of_a_revocation_takes_the_lock_whatever_it_is(TimeSpan claimWindow)
    {
        _store.GrantTo("lock", "stranger");
        await _store.AcquireAsync(Requests.Acquire("lock", new LockOwner("a", 1), TimeSpan.FromSeconds(15), wait: true), Cancel);
        var token = (await _store.GetHolderAsync("lock", Cancel))!.FencingToken;
        Assert.True(await _store.RevokeAsync("lock", token, claimWindow, Cancel));
        Assert.NotEqual(token, (await _store.GetHolderAsync("lock", Cancel))?.FencingToken);
    }
}
