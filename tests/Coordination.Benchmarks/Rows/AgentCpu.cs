using System.Diagnostics;
using Coordination.Benchmarks.Agents;

namespace Coordination.Benchmarks.Rows;

/// <summary>What processes that hold many leases use.</summary>
internal static class AgentCpu
{
    /// <summary>Until each lease has been renewed once.</summary>
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(16);

    /// <summary>
    /// For so long the runtime compiles nothing in any of the processes before they are measured. It compiles anew what has run some dozens of times, and a
    /// batch of renewals runs ten times a second: of the CPU of the first minute most is the compiler's, and not what leases that are held for long cost.
    /// </summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(10);

    /// <summary>How often it is waited for that.</summary>
    private const int QuietChecks = 12;

    /// <summary>Waits until the processes do nothing but hold their leases.</summary>
    public static async Task SettleAsync(IReadOnlyCollection<Agent> agents)
    {
        await Task.Delay(Settle);
        var before = 0L;
        for (var i = 0; i < QuietChecks; i++)
        {
            var compiled = (await Task.WhenAll(agents.Select(agent => agent.CompiledAsync()))).Sum();
            if (compiled == before)
            {
                return;
            }

            before = compiled;
            await Task.Delay(Quiet);
        }
    }

    /// <summary>Lets some time pass.</summary>
    /// <returns>The percentage of one core that each process used meanwhile, and how long that was.</returns>
    public static async Task<(IReadOnlyDictionary<T, double> Percent, TimeSpan Window)> MeasureAsync<T>(Dictionary<T, Agent> agents, TimeSpan window)
        where T : notnull
    {
        var begun = Stopwatch.GetTimestamp();
        var before = await OfAsync(agents);
        await Task.Delay(window);
        var after = await OfAsync(agents);
        var took = Stopwatch.GetElapsedTime(begun);
        return (agents.Keys.ToDictionary(key => key, key => 100 * (after[key] - before[key]) / took), took);
    }

    private static async Task<Dictionary<T, TimeSpan>> OfAsync<T>(Dictionary<T, Agent> agents)
        where T : notnull
    {
        var cpu = new Dictionary<T, TimeSpan>();
        foreach (var (key, agent) in agents)
        {
            cpu[key] = await agent.CpuAsync();
        }

        return cpu;
    }
}
