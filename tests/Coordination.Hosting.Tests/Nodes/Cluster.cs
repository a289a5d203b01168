using Coordination.Stores.InMemory;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Coordination.Hosting.Tests.Nodes;

/// <summary>Several hosts in this process as several nodes, with one store and one clock, which moves by hand only.</summary>
internal sealed class Cluster : IAsyncDisposable
{
    public static readonly TimeSpan LeaseDuration = TimeSpan.FromSeconds(15);

    /// <summary>As it is by default.</summary>
    private static readonly TimeSpan RenewalInterval = LeaseDuration / 3;

    /// <summary>As it is by default.</summary>
    private static readonly TimeSpan SafetyMargin = LeaseDuration / 5;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);
    private readonly List<TestNode> _nodes = [];

    public Cluster() => Store = new InMemoryLockStore(Time);

    /// <summary>Nodes of another cluster's store whose clock is another.</summary>
    public Cluster(InMemoryLockStore store) => Store = store;

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    public InMemoryLockStore Store { get; }

    /// <summary>Starts a node with one <see cref="WorkingService"/>.</summary>
    public async Task<TestNode> StartNodeAsync(
        string name,
        Action<ExclusiveServiceOptions>? configure = null,
        Action<IServiceCollection>? services = null,
        Work? work = null,
        Exception? fault = null)
    {
        var node = CreateNode(name, s =>
        {
            s.AddExclusiveBackgroundService<WorkingService>(configure);
            services?.Invoke(s);
        }, work, fault);
        await node.Host.StartAsync(TestContext.Current.CancellationToken);

        // The host has started before its services contend.
        await UntilAsync(() => node.Contends, "the node contends");
        return node;
    }

    public TestNode CreateNode(string name, Action<IServiceCollection> services, Work? work = null, Exception? fault = null)
    {
        var node = new TestNode(this, name, services, work ?? new Work(), fault);
        _nodes.Add(node);
        return node;
    }

    /// <summary>Waits for a condition while the clock stands still.</summary>
    public static Task UntilAsync(Func<bool> condition, string what) => Eventually.IsTrueAsync(condition, Patience, what);

    /// <summary>Moves the clock in steps. Leases that are to be kept are renewed at each of them; others may run out.</summary>
    public async Task AdvanceAsync(TimeSpan by, params ILease[] keep)
    {
        var step = TimeSpan.FromMilliseconds(500);
        for (var advanced = TimeSpan.Zero; advanced < by; advanced += step)
        {
            await MoveAsync(TimeSpan.FromTicks(Math.Min(step.Ticks, (by - advanced).Ticks)), keep);
        }
    }

    /// <summary>
    /// Moves the clock in small steps until a condition holds. The limit is generous: what is due at a moment happens some steps later on
    /// a busy machine, and tests that ask for a time take it from the log.
    /// </summary>
    public async Task AdvanceUntilAsync(Func<bool> condition, TimeSpan limit, string what, TimeSpan? step = null, params ILease[] keep)
    {
        var each = step ?? TimeSpan.FromMilliseconds(500);
        for (var advanced = TimeSpan.Zero; advanced <= limit; advanced += each)
        {
            for (var poll = 0; poll < 10; poll++)
            {
                if (condition())
                {
                    return;
                }

                // Between two looks: what woke goes on on the pool.
                await Task.Delay(2, TestContext.Current.CancellationToken);
            }

            await MoveAsync(each, keep);
        }

        await UntilAsync(condition, what);
    }

    public async Task<LockHolder?> HolderAsync(string lockName) => await Store.GetHolderAsync(lockName, CancellationToken.None);

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
        {
            node.Work.LetGo();

            node.Store.Fault = null;
        }

        foreach (var node in _nodes)
        {
            await EndAsync(node);
        }
    }

    /// <summary>Ends a node. Releases and undos are tried until their time is up, so the clock moves meanwhile.</summary>
    public async Task EndAsync(TestNode node)
    {
        var ending = node.DisposeAsync().AsTask();
        await AdvanceUntilAsync(() => ending.IsCompleted, TimeSpan.FromMinutes(2), "the host ends");
        await ending;
    }

    private async Task MoveAsync(TimeSpan by, ILease[] keep)
    {
        // A term that was handed over rests on the claim window alone until it is claimed, and would be lost at this step.
        await UntilRenewedAsync(keep);

        // A line has the time at which it is written.
        _nodes.ForEach(node => node.FlushTelemetry());
        Time.Advance(by);

        // A renewal that has come due is sent while the clock stands.
        await UntilRenewedAsync(keep);
    }

    /// <summary>
    /// Waits until no renewal is due. A timer takes whole milliseconds, so one may come due by that much later; and on a busy machine by a step of the clock, where that was moved between the
    /// moment at which the watchdog read it and the one at which it set its timer. Then the clock moves on a little.
    /// </summary>
    private async Task UntilRenewedAsync(ILease[] leases)
    {
        foreach (var lease in leases)
        {
            for (var late = 0; late < 25 && !IsRenewed(lease); late++)
            {
                for (var poll = 0; poll < 50 && !IsRenewed(lease); poll++)
                {
                    // Between two looks: the renewal goes on on a thread of its own.
                    await Task.Delay(5, TestContext.Current.CancellationToken);
                }

                Time.Advance(IsRenewed(lease) ? TimeSpan.Zero : TimeSpan.FromMilliseconds(20));
            }

            await UntilAsync(() => IsRenewed(lease), $"the lease of {lease.Owner.NodeId} is renewed");
        }

        static bool IsRenewed(ILease lease) => lease.Remaining >= LeaseDuration - SafetyMargin - RenewalInterval - TimeSpan.FromMilliseconds(1);
    }
}
