using Coordination.Quartz.Tests.Jobs;
using Coordination.Stores;
using Coordination.TestKit.Waiting;
using Quartz;

namespace Coordination.Quartz.Tests.Schedulers;

/// <summary>A test with several schedulers of this process, each of them a node. They end with the test.</summary>
public abstract class NodesTest : IAsyncDisposable
{
    /// <summary>How long anything may take before the test fails.</summary>
    protected static readonly TimeSpan Bound = TimeSpan.FromMinutes(1);

    protected static readonly JobKey Job = new("staged");

    protected static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private protected Ledger Ledger { get; } = new();

    private protected List<TestScheduler> Nodes { get; } = [];

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        foreach (var node in Nodes)
        {
            await node.DisposeAsync();
        }
    }

    /// <summary>Starts a node that has the job, and triggers where they are given.</summary>
    private protected async Task<TestScheduler> StartAsync(
        ILockStore store, string name, Action<IQuartzBuilder>? schedule, Action<QuartzExclusivityOptions>? exclusivity = null, bool waitsForJobs = true)
    {
        var node = await TestScheduler.StartAsync(
            store,
            Ledger,
            name,
            quartz =>
            {
                quartz.AddJob<StagedJob>(job => job.WithIdentity(Job).StoreDurably());
                schedule?.Invoke(quartz);
            },
            exclusivity,
            waitsForJobs);
        Nodes.Add(node);
        return node;
    }

    protected static Task UntilAsync(Func<bool> condition, string what) => Eventually.IsTrueAsync(condition, Bound, what);

    protected static Task UntilAsync(Func<Task<bool>> condition, string what) => Eventually.IsTrueAsync(condition, Bound, what);
}
