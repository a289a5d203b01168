using Coordination.Stores;
using Coordination.Stores.InMemory;
using Coordination.TestKit.Clocks;
using Coordination.TestKit.Stores;

namespace Coordination.Tests.Leases;

/// <summary>A store that can say of one renewal that it does not know.</summary>
public sealed class UnknownRenewalTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    private readonly TestClock _clock = new();
    private readonly DoubtfulStore _store;

    public UnknownRenewalTests() => _store = new DoubtfulStore(_clock);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Promise("G12")]
    public async Task A_renewal_that_is_unknown_leaves_its_lease_in_doubt_and_no_other()
    {
        await using var node = new TestNode(_clock, actualStore: _store);
        var unknown = await node.AcquireAsync("unknown");
        var known = await node.AcquireAsync("known");
        _store.Unknown = "unknown";
        Assert.True(node.AdvanceUntil(() => unknown.State == LeaseState.InDoubt, Interval + TimeSpan.FromSeconds(1)));
        Assert.Equal((LeaseState.Held, false), (known.State, unknown.Lost.IsCancellationRequested));

        // It is asked for again soon, and not at the next interval.
        _store.Unknown = null;
        Assert.True(node.AdvanceUntil(() => unknown.State == LeaseState.Held, Interval / 2));
        Assert.True(unknown.Remaining > TimeSpan.FromSeconds(10));
    }

    [Fact]
    [Promise("G2")]
    public async Task A_lease_whose_renewals_stay_unknown_is_lost_at_its_deadline()
    {
        await using var node = new TestNode(_clock, actualStore: _store);
        var lease = await node.AcquireAsync("unknown");
        _store.Unknown = "unknown";
        var left = lease.Remaining;
        node.Advance(left - TimeSpan.FromMilliseconds(100));
        Assert.False(lease.Lost.IsCancellationRequested);
        node.Advance(TimeSpan.FromMilliseconds(100));
        Assert.True(lease.Lost.IsCancellationRequested);
        Assert.Equal(LeaseLossReason.DeadlinePassed, lease.LossReason);
    }

    [Fact]
    public async Task A_renewal_by_hand_that_the_store_cannot_answer_is_unknown()
    {
        await using var node = new TestNode(_clock, actualStore: _store);
        var lease = await node.AcquireAsync("unknown");
        _store.Unknown = "unknown";
        Assert.Equal(RenewalResult.Unknown, await lease.RenewAsync(Token));
        Assert.Equal((LeaseState.InDoubt, false), (lease.State, lease.Lost.IsCancellationRequested));
    }

    private sealed class DoubtfulStore(TimeProvider time) : DelegatingLockStore(new InMemoryLockStore(time))
    {
        private volatile string? _unknown;

        public string? Unknown
        {
            get => _unknown;
            set => _unknown = value;
        }

        public override async Task<IReadOnlyList<RenewalReply>> RenewAsync(IReadOnlyList<RenewalRequest> requests, CancellationToken cancellationToken)
        {
            var unknown = Unknown;
            var replies = await base.RenewAsync([.. requests.Where(request => request.LockName != unknown)], cancellationToken);
            var next = 0;
            return [.. requests.Select(request => request.LockName == unknown ? RenewalReply.Unknown : replies[next++])];
        }
    }
}
