using Coordination.Stores;
using Coordination.Testing.Contracts.Nodes;
using Coordination.Testing.Contracts.Threads;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Testing.Contracts;

/// <summary>
/// What users are promised of leases while their process has no thread of the pool to spare. The author of a store inherits it, and says
/// how a node gets the store, as for <see cref="LockContract"/>.
/// </summary>
/// <remarks>
/// It takes every thread of the pool, so it runs with no other test beside it, and a server of the tests has to be in another process. xunit reads collections
/// from the assembly of the test: define one there with <c>DisableParallelization = true</c>, and name it on the class that inherits this one.
/// </remarks>
public abstract class LockStarvedPoolContract : IAsyncLifetime
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(2);

    private readonly string _name = "starved-" + Guid.NewGuid().ToString("N")[..8];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Chooses the store for a node, as <c>UseRedis</c> does.</summary>
    /// <param name="builder">Of the node.</param>
    protected abstract void UseStore(ICoordinationBuilder builder);

    /// <summary>Prepares a test: override it to get a server ready.</summary>
    public virtual ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>Ends the test: override it to end what the nodes used.</summary>
    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

#pragma warning disable CS1591, RS0016 // Tests say by their names what they show, and are no interface to code against.
    [Theory]
    [Failure("F17")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Renewals_and_losses_keep_their_time_with_every_thread_of_the_pool_blocked(bool hasClockOfItsOwn)
    {
        await using var node = StartNode(UseStore, hasClockOfItsOwn);
        var link = new StoreLink(node.Store);
        await using var cutOff = StartNode(builder => builder.Services.AddSingleton<ILockStore>(link), hasClockOfItsOwn);
        var kept = await node.GetLock(_name + "-kept").AcquireAsync(Cancellation);
        var lost = await cutOff.GetLock(_name + "-lost").AcquireAsync(Cancellation);
        link.IsCut = true;

        bool isLostInTime, isRenewedInTime;
        using (new BlockedPool())
        {
            // This thread waits without the pool: what is awaited here would not go on.
            var start = TimeProvider.System.GetTimestamp();
            isLostInTime = SpinWait.SpinUntil(() => lost.Lost.IsCancellationRequested, Lease);

            // Without renewals it would not reach so far.
            isRenewedInTime = SpinWait.SpinUntil(() => TimeProvider.System.GetElapsedTime(start) + kept.Remaining > 1.5 * Lease, Lease);
        }

        Assert.True(isLostInTime, "The loss was not told in time.");
        Assert.True(isRenewedInTime, "The lease was not renewed in time.");
        Assert.Equal((LeaseState.Held, false), (kept.State, kept.Lost.IsCancellationRequested));
        Assert.Equal(kept.FencingToken, (await node.Administration.GetHolderAsync(kept.LockName, Cancellation))?.FencingToken);
        Assert.Equal(ReleaseResult.Released, await kept.ReleaseAsync(Cancellation));
    }

    private static Node StartNode(Action<ICoordinationBuilder> useStore, bool hasClockOfItsOwn) => new(
        builder =>
        {
            useStore(builder);
            if (hasClockOfItsOwn)
            {
                builder.Services.AddSingleton<TimeProvider>(new OtherDate());
            }
        },
        options => options.LeaseDuration = Lease);

    /// <summary>A clock as applications have them: its timers are the system's.</summary>
    private sealed class OtherDate : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddYears(1);
    }
}
