using System.Collections.Concurrent;
using Coordination.Chaos.Scenarios;

namespace Coordination.Chaos.Tests;

/// <summary>The runs of a suite of tests, several at a time: mostly they wait for something to happen.</summary>
public sealed class ScenarioRuns : IDisposable
{
    private readonly SemaphoreSlim _slots = new(2);
    private readonly ConcurrentDictionary<string, Lazy<Task<RunResult>>> _runs = new();
    private readonly CancellationTokenSource _stopping = new();

    /// <summary>The result of a run, which is begun as soon as there is room.</summary>
    internal Task<RunResult> OfAsync(RunOptions options) =>
        _runs.GetOrAdd($"{options.Scenario.Name} {options.Contender} {options.Seed}", _ => new Lazy<Task<RunResult>>(() => RunAsync(options))).Value;

    /// <summary>Begins runs that tests will ask for.</summary>
    internal void Begin(IEnumerable<RunOptions> all)
    {
        foreach (var options in all)
        {
            _ = OfAsync(options);
        }
    }

    public void Dispose()
    {
        // Those that no test asked for, because it was left out, end early.
        _stopping.Cancel();
    }

    private async Task<RunResult> RunAsync(RunOptions options)
    {
        await _slots.WaitAsync(_stopping.Token);
        try
        {
            return await ScenarioRun.RunAsync(options, _stopping.Token);
        }
        finally
        {
            _slots.Release();
        }
    }
}
