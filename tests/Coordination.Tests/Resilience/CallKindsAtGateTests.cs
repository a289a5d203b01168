using Coordination.Resilience;
using Coordination.Stores;
using Coordination.TestKit.Clocks;
using Coordination.Time;

namespace Coordination.Tests.Resilience;

/// <summary>One kind of call that fails while others of the shard succeed, as renewals do of locks whose slot is being moved.</summary>
[Failure("F40", "F49")]
public sealed class CallKindsAtGateTests : IDisposable
{
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(1);

    private readonly TestClock _clock = new();
    private readonly StoreGate _gate;

    public CallKindsAtGateTests() => _gate = new StoreGate(_clock);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _gate.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Renewals_or_releases_that_fail_hold_up_no_other_kind_of_call(bool areRenewals)
    {
        var (failing, other) = areRenewals ? (StoreCall.Renewal, StoreCall.Release) : (StoreCall.Release, StoreCall.Renewal);
        for (var i = 0; i < 10; i++)
        {
            Fail(failing);
            await PassesAsync(Enter(StoreCall.Acquisition));
            await PassesAsync(Enter(other));
        }

        await PassesAsync(Enter(failing));
        Assert.False(Enter(failing).IsCompleted);

        // Acquisitions wait when one of theirs fails, and say so.
        var acquisition = new LockStoreException("The acquisition.", isTransient: true);
        _gate.Failed(0, StoreCall.Acquisition, _clock.Uptime, acquisition);
        Fail(failing);
        Assert.Same(acquisition, await Enter(StoreCall.Acquisition, limit: TimeSpan.Zero).WaitAsync(Bound, Token));
    }

    [Fact]
    public async Task Renewals_that_fail_for_ever_leave_acquisitions_a_turn()
    {
        Fail(StoreCall.Acquisition);
        await PassesAsync(Enter(StoreCall.Renewal));
        var renewals = Enumerable.Range(0, 30).Select(_ => Enter(StoreCall.Renewal)).ToList();
        var acquisitions = Enumerable.Range(0, 10).Select(_ => Enter(StoreCall.Acquisition)).ToList();
        for (var i = 0; i < 2; i++)
        {
            Assert.All(acquisitions[i..], acquisition => Assert.False(acquisition.IsCompleted));
            for (var turns = 0; turns < 4; turns++)
            {
                _clock.Advance(StoreGate.Pace);
                Fail(StoreCall.Renewal);
            }

            await PassesAsync(acquisitions[i]);
            _gate.Replied(0, StoreCall.Acquisition, _clock.Uptime);
            await Task.WhenAll(renewals.Select(PassesAsync));
            Fail(StoreCall.Renewal);
            renewals = [.. Enumerable.Range(0, 30).Select(_ => Enter(StoreCall.Renewal))];
        }

        await Task.WhenAll(acquisitions.Select(PassesAsync));
    }

    private static async Task PassesAsync(Task<LockStoreException?> entering) => Assert.Null(await entering.WaitAsync(Bound, Token));

    private void Fail(StoreCall call) => _gate.Failed(0, call, _clock.Uptime, PartlyAwayStore.Away);

    private Task<LockStoreException?> Enter(StoreCall call, TimeSpan? limit = null) =>
        _gate.EnterAsync(0, new CallPlan(call, "work", Limit: TimeSpan.FromSeconds(2)), limit ?? Timeout.InfiniteTimeSpan, Token).AsTask();
}
