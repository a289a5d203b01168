using Coordination.Stores;
using Coordination.Testing;
using Coordination.TestKit.Clocks;
using Coordination.TestKit.Stores;

namespace Coordination.Tests.Leases;

/// <summary>A grant on its way from the store to its holder, which takes time that the store counts.</summary>
public sealed class GrantTests
{
    private static readonly TimeSpan UntilDeadline = TimeSpan.FromSeconds(12);

    private readonly TestClock _clock = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [Promise("G2")]
    [Failure("F12")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_deadline_of_a_grant_counts_from_before_it_was_asked_for(bool waits)
    {
        var way = TimeSpan.FromSeconds(2);
        await using var node = new TestNode(_clock, actualStore: new SlowStore(new ControllableLockStore(_clock), _clock) { Way = way });
        var named = node.Provider.GetLock("work");
        await using var lease = waits ? await named.AcquireAsync(Token) : await named.TryAcquireAsync(Token);
        Assert.Equal(UntilDeadline - way, lease!.Remaining);
    }

    [Theory]
    [Promise("G2")]
    [Failure("F14", "F47")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_wait_whose_grant_came_after_its_deadline_asks_again_and_gets_it_anew(bool sleeps)
    {
        var store = new SlowStore(new ControllableLockStore(_clock), _clock) { Way = UntilDeadline, Sleeps = sleeps };
        await using var node = new TestNode(_clock, actualStore: store);
        await using var lease = await node.AcquireAsync().WaitAsync(TimeSpan.FromMinutes(1), Token);
        Assert.Equal(2, store.Asks);
        Assert.Equal(UntilDeadline, lease.Remaining);
    }

    [Theory]
    [Promise("G2", "G6")]
    [Failure("F14", "F47")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_try_whose_grant_came_after_its_deadline_fails_and_the_grant_is_undone(bool sleeps)
    {
        var actual = new ControllableLockStore(_clock);
        await using var node = new TestNode(_clock, actualStore: new SlowStore(actual, _clock) { Way = UntilDeadline, Sleeps = sleeps });
        var error = await Assert.ThrowsAsync<LockStoreException>(() => node.Provider.GetLock("work").TryAcquireAsync(Token));
        Assert.True(error.IsTransient);
        Assert.True(SpinWait.SpinUntil(() => actual.Count == 0, TimeSpan.FromMinutes(1)), "The grant was not undone.");
    }

    /// <summary>
    /// A store whose first reply takes its time, in which nobody runs: as when the process is paused before it reads it, or its machine sleeps and
    /// the monotonic clock with it.
    /// </summary>
    private sealed class SlowStore(ILockStore inner, TestClock clock) : DelegatingLockStore(inner)
    {
        public TimeSpan Way { get; init; }

        public bool Sleeps { get; init; }

        public int Asks { get; private set; }

        public override async Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken)
        {
            var reply = await base.AcquireAsync(request, cancellationToken);
            if (++Asks == 1)
            {
                if (Sleeps)
                {
                    clock.WallAhead += Way;
                }
                else
                {
                    clock.Advance(Way);
                }
            }

            return reply;
        }
    }
}
