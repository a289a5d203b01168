using System.Collections.Concurrent;

namespace Coordination.Hosting.Tests.Nodes;

/// <summary>A service with hooks, which do what its node's <see cref="Hooks"/> say.</summary>
internal sealed class HookedService(Work work, Hooks hooks) : ExclusiveBackgroundService
{
    public const string LockName = "Coordination.Hosting.Tests/Coordination.Hosting.Tests.Nodes.HookedService";

    public override Task TermStartingAsync(ExclusiveTerm term, CancellationToken cancellationToken)
    {
        hooks.Calls.Enqueue($"starting {term.State} {work.IsRunning}");
        return hooks.Starting(term, cancellationToken);
    }

    public override Task TermStoppingAsync(ExclusiveTerm term, CancellationToken cancellationToken)
    {
        hooks.Calls.Enqueue($"stopping {term.State} {work.IsRunning}");
        return hooks.Stopping(term, cancellationToken);
    }

    public override Task TermStoppedAsync(EndedTerm term)
    {
        hooks.Calls.Enqueue($"stopped {term.Cause} {term.Release} {work.IsRunning}");
        return hooks.Stopped(term);
    }

    protected override Task ExecuteExclusiveAsync(ExclusiveTerm term, CancellationToken stoppingToken) => work.RunAsync(term, stoppingToken);
}

/// <summary>What a node does around its terms; nothing by default. Notes what was called.</summary>
internal sealed class Hooks
{
    public ConcurrentQueue<string> Calls { get; } = [];

    public Func<ExclusiveTerm, CancellationToken, Task> Starting { get; set; } = static (_, _) => Task.CompletedTask;

    public Func<ExclusiveTerm, CancellationToken, Task> Stopping { get; set; } = static (_, _) => Task.CompletedTask;

    public Func<EndedTerm, Task> Stopped { get; set; } = static _ => Task.CompletedTask;
}
