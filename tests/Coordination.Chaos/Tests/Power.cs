using Coordination.Chaos.Checking;
using Coordination.Chaos.Contenders;
using Coordination.Chaos.Scenarios;

namespace Coordination.Chaos.Tests;

/// <summary>Whether a scenario finds what it is there to find.</summary>
internal static class Power
{
    /// <summary>Runs of the same length, one after another, up to two minutes of them: when something happens is decided by the seed, but not all of what it meets, and on a busy machine much is excused.</summary>
    private const int MostRuns = 10;
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(12);

    public static async Task IsCaughtAsync(ContenderKind contender, string scenario, params CheckKind[] by)
    {
        for (var seed = 1; seed <= MostRuns; seed++)
        {
            var result = await ScenarioRun.RunAsync(new RunOptions(Catalogue.Find(scenario)!, contender, seed, Catalogue.Find(scenario)!.IsOnPostgreSql ? Catalogue.Find(scenario)!.Brief : Duration), TestContext.Current.CancellationToken);
            if (result.Verdict.Violations.Any(violation => by.Contains(violation.Check)))
            {
                return;
            }
        }

        Assert.Fail($"{contender} was not caught by {string.Join(" or ", by)} in {MostRuns} runs of {scenario}.");
    }
}
