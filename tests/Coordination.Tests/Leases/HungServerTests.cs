using System.Collections.Concurrent;
using Coordination.Leases;
using Coordination.Occurrences;
using Coordination.Stores;
using Coordination.Stores.InMemory;
using Coordination.TestKit.Clocks;
using Coordination.TestKit.Stores;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Tests.Leases;

/// <summary>A server that hangs takes what it is sent, and does it when it wakes, also what nobody waits for any more.</summary>
[Promise("G4", "G6")]
[Failure("F3", "F40")]
public sealed class HungServerTests
{
    private static readonly TimeSpan LongerThanALease = TimeSpan.FromSeconds(40);

    /// <summary>An undo that was under way when the server woke ends, and the next has its turn.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(5);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_a_hung_server_grants_when_it_wakes_is_undone_at_once(bool isWaitedFor)
    {
        var clock = new TestClock();
        var store = new HungServer(new InMemoryLockStore(clock));
        await using var node = new TestNode(clock, actualStore: store);
        store.Hang();
        using var cancellation = new CancellationTokenSource();
        var work = node.Provider.GetLock("work");
        var call = isWaitedFor ? work.TryAcquireAsync(LongerThanALease, cancellation.Token) : work.TryAcquireAsync(Token);
        Assert.True(node.AdvanceUntil(() => store.Kept == 1, TimeSpan.FromSeconds(1)));
        await cancellation.CancelAsync();
        node.Advance(LongerThanALease);
        Assert.NotNull(await Record.ExceptionAsync(() => call));

        store.Wake();
        Assert.Equal(1, store.Count);
        Assert.True(node.AdvanceUntil(() => store.Count == 0, Soon), "It is held by nobody for a whole lease.");
    }

    /// <summary>The lease that was waited for has lapsed by then, so that the question for its occurrence is granted the lock anew.</summary>
    [Fact]
    public async Task What_asked_for_the_occurrence_of_a_lease_that_has_lapsed_is_undone()
    {
        var clock = new TestClock();
        var store = new HungServer(new InMemoryLockStore(clock)) { HangsAfter = 1 };
        await using var node = new TestNode(clock, actualStore: store);
        var occurrence = new Occurrence { Series = "nightly", Time = DateTimeOffset.UnixEpoch, Run = "run", RememberFor = TimeSpan.FromHours(1) };
        var acquiring = node.Services.GetRequiredService<OccurrenceLocks>().AcquireAsync("work", options: null, occurrence, Timeout.InfiniteTimeSpan, Token);
        Assert.True(node.AdvanceUntil(() => store.Kept >= 1, TimeSpan.FromSeconds(1)));
        node.Advance(LongerThanALease);
        Assert.NotNull(await Record.ExceptionAsync(() => acquiring));

        store.Wake();
        Assert.Equal(1, store.Count);
        Assert.True(node.AdvanceUntil(() => store.Count == 0, Soon), "It is held by nobody for a whole lease.");
    }

    [Fact]
    [Promise("G10")]
    public async Task A_node_that_ends_tries_to_undo_no_longer_than_for_a_lease()
    {
        var clock = new TestClock();
        var store = new HungServer(new InMemoryLockStore(clock));
        await using var node = new TestNode(clock, actualStore: store);
        store.Hang();
        var undoing = node.Services.GetRequiredService<LeaseKeeper>().UndoAsync(Requests.Acquire("work", node.Provider.CreateOwner(), TimeSpan.FromSeconds(15), claimWindow: TimeSpan.FromSeconds(1)));
        node.Advance(LongerThanALease);
        Assert.False(undoing.IsCompleted);

        await node.DisposeAsync();
        Assert.True(SpinWait.SpinUntil(Ends, TimeSpan.FromMinutes(1)));

        bool Ends()
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            return undoing.IsCompletedSuccessfully;
        }
    }

    private sealed class HungServer(InMemoryLockStore inner) : DelegatingLockStore(inner)
    {
        private readonly Lock _gate = new();
        private readonly ConcurrentQueue<Action> _kept = new();
        private bool _hangs;
        private int _asked;

        /// <summary>After how many acquisitions it hangs.</summary>
        public int HangsAfter { get; init; } = int.MaxValue;

        /// <summary>How many locks are held.</summary>
        public int Count => inner.Count;

        /// <summary>How many acquisitions it has taken and not done.</summary>
        public int Kept => _kept.Count;

        public void Hang()
        {
            lock (_gate)
            {
                _hangs = true;
            }
        }

        /// <summary>It does what it was sent. Releases that it was sent too long ago have lost their connection.</summary>
        public void Wake()
        {
            lock (_gate)
            {
                _hangs = false;
                while (_kept.TryDequeue(out var request))
                {
                    request();
                }
            }
        }

        public override Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken)
        {
            lock (_gate)
            {
                _hangs |= ++_asked > HangsAfter;
                if (!_hangs)
                {
                    return base.AcquireAsync(request, cancellationToken);
                }

                var reply = new TaskCompletionSource<AcquireReply>(TaskCreationOptions.RunContinuationsAsynchronously);
                _kept.Enqueue(async () => reply.TrySetResult(await base.AcquireAsync(request, CancellationToken.None)));
                return reply.Task;
            }
        }

        public override Task<ReleaseReply> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken)
        {
            lock (_gate)
            {
                return _hangs ? new TaskCompletionSource<ReleaseReply>().Task : base.ReleaseAsync(request, cancellationToken);
            }
        }

        public override Task<IReadOnlyList<RenewalReply>> RenewAsync(IReadOnlyList<RenewalRequest> requests, CancellationToken cancellationToken)
        {
            lock (_gate)
            {
                return _hangs ? new TaskCompletionSource<IReadOnlyList<RenewalReply>>().Task : base.RenewAsync(requests, cancellationToken);
            }
        }
    }
}
