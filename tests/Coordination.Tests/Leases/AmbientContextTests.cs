using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Coordination.Stores;
using Coordination.Testing;
using Coordination.TestKit.Clocks;
using Coordination.TestKit.Stores;

namespace Coordination.Tests.Leases;

/// <summary>What is ambient at a call, such as a trace or a log scope, stays with that call.</summary>
public sealed class AmbientContextTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(1);
    private static readonly AsyncLocal<object?> Ambient = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    [Failure("F42")]
    public async Task Renewals_the_subscription_and_an_undo_see_nothing_of_the_call_they_come_from()
    {
        var clock = new TestClock();
        var store = new ControllableLockStore(clock);
        var seen = new Watched(store);
        await using var node = new TestNode(clock, store, actualStore: seen);
        var lease = await Ask(node);

        node.Advance(TimeSpan.FromSeconds(6));
        Assert.True(SpinWait.SpinUntil(() => !seen.Renew.IsEmpty && !seen.Subscribe.IsEmpty && !seen.Undo.IsEmpty, Bound));
        Assert.All([.. seen.Renew, .. seen.Subscribe, .. seen.Undo], Assert.Null);
        Assert.Contains(seen.Acquire, ambient => ambient is not null);

        // One that was collected would not be renewed.
        GC.KeepAlive(lease);
    }

    [Fact]
    [Failure("F42")]
    public async Task What_is_ambient_at_the_first_call_of_a_node_is_collected()
    {
        await using var node = new TestNode();
        var (lease, ambient) = await AskAndForget(node);
        node.Advance(TimeSpan.FromSeconds(6));
        node.Flush();
        Assert.True(
            SpinWait.SpinUntil(
                () =>
                {
                    GC.Collect();
                    GC.WaitForPendingFinalizers();
                    return !ambient.IsAlive;
                },
                Bound));
        await lease.ReleaseAsync(Cancellation);
    }

    /// <summary>A lease that is kept, and a call that fails and is undone.</summary>
    private static async Task<ILockLease> Ask(TestNode node)
    {
        Ambient.Value = new object();
        var lease = await node.AcquireAsync();
        node.Store.LoseNextReply(StoreOperation.Acquire);
        using var cancelling = new CancellationTokenSource();
        var cancelled = node.Provider.GetLock("other").TryAcquireAsync(cancelling.Token);
        await cancelling.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        return lease;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task<(ILockLease Lease, WeakReference Ambient)> AskAndForget(TestNode node)
    {
        var ambient = new object();
        Ambient.Value = ambient;
        var lease = await node.AcquireAsync();
        return (lease, new WeakReference(ambient));
    }

    /// <summary>Notes what is ambient at each call.</summary>
    private sealed class Watched(ILockStore inner) : DelegatingLockStore(inner)
    {
        public ConcurrentQueue<object?> Acquire { get; } = new();

        public ConcurrentQueue<object?> Renew { get; } = new();

        public ConcurrentQueue<object?> Subscribe { get; } = new();

        public ConcurrentQueue<object?> Undo { get; } = new();

        public override Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken)
        {
            Acquire.Enqueue(Ambient.Value);
            return base.AcquireAsync(request, cancellationToken);
        }

        public override Task<IReadOnlyList<RenewalReply>> RenewAsync(IReadOnlyList<RenewalRequest> requests, CancellationToken cancellationToken)
        {
            Renew.Enqueue(Ambient.Value);
            return base.RenewAsync(requests, cancellationToken);
        }

        public override Task<ReleaseReply> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken)
        {
            Undo.Enqueue(Ambient.Value);
            return base.ReleaseAsync(request, cancellationToken);
        }

        public override Task<IAsyncDisposable> SubscribeAsync(string nodeId, Action<LockNotification> handler, CancellationToken cancellationToken)
        {
            Subscribe.Enqueue(Ambient.Value);
            return base.SubscribeAsync(nodeId, handler, cancellationToken);
        }
    }
}
