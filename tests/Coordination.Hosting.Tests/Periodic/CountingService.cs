using System.Collections.Concurrent;

namespace Coordination.Hosting.Tests.Periodic;

/// <summary>Notes its runs, and does in each what its node says.</summary>
internal sealed class CountingService(Runs runs) : ExclusivePeriodicService
{
    public const string LockName = "Coordination.Hosting.Tests/Coordination.Hosting.Tests.Periodic.CountingService";

    protected override Task RunAsync(PeriodicRun run, CancellationToken stoppingToken)
    {
        stoppingToken.UnsafeRegister(static runs => ((Runs)runs!).Told = true, runs);
        runs.All.Enqueue(run);
        return runs.Do(run, stoppingToken);
    }
}

/// <summary>The runs of one node.</summary>
internal sealed class Runs
{
    public ConcurrentQueue<PeriodicRun> All { get; } = [];

    /// <summary>The token of a run was cancelled.</summary>
    public bool Told { get; set; }

    public Func<PeriodicRun, CancellationToken, Task> Do { get; set; } = (_, _) => Task.CompletedTask;
}
