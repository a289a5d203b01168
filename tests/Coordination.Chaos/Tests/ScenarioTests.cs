using Coordination.Chaos.Contenders;
using Coordination.Chaos.Faults;
using Coordination.Chaos.Reports;
using Coordination.Chaos.Scenarios;
using Coordination.Chaos.Workers;

namespace Coordination.Chaos.Tests;

/// <summary>Each scenario, briefly, and those of single faults together. By hand they run for as long as one likes, with other seeds.</summary>
[Needs(Need.LongTier, Need.RedisServer)]
public sealed class ScenarioTests(ScenarioRuns runs) : IClassFixture<ScenarioRuns>
{
    private const int Seed = 20;

    public static TheoryData<string> ScenariosOfPostgreSql => [.. Catalogue.All.Where(scenario => scenario.IsOnPostgreSql && !scenario.IsPartOfAnother && !scenario.Needs.Contains(Need.PgBouncer)).Select(scenario => scenario.Name)];

    public static TheoryData<string> Scenarios => [.. Catalogue.All.Where(scenario => !scenario.HasOwnClocks && !scenario.IsOnPostgreSql && !scenario.IsPartOfAnother).Select(scenario => scenario.Name)];

    public static TheoryData<string> ScenariosOfClocks => [.. Catalogue.All.Where(scenario => scenario.HasOwnClocks).Select(scenario => scenario.Name)];

    [Theory]
    [Promise("G1", "G2", "G3", "G4", "G5", "G7", "G8", "G9", "G11", "G12")]
    [MemberData(nameof(Scenarios))]
    public Task The_promises_hold_for_processes_that_nothing_spares(string scenario) => HoldAsync(scenario);

    [Theory]
    [Promise("G1", "G2", "G3")]
    [Failure("F45", "F47")]
    [Needs(Need.CCompiler)]
    [MemberData(nameof(ScenariosOfClocks))]
    public Task The_promises_hold_for_clocks_that_nothing_spares(string scenario) => HoldAsync(scenario);

    [Theory]
    [Promise("G1", "G2", "G3", "G4", "G5", "G7", "G8", "G9", "G12")]
    [Needs(Need.PostgreSql)]
    [MemberData(nameof(ScenariosOfPostgreSql))]
    public Task The_promises_hold_on_a_PostgreSQL_that_nothing_spares(string scenario) => HoldAsync(scenario);

    [Fact]
    [Promise("G1", "G2", "G3", "G4", "G5", "G7", "G8", "G9", "G12")]
    [Needs(Need.PostgreSql, Need.PgBouncer)]
    public Task The_promises_hold_behind_a_pooler_that_nothing_spares() => HoldAsync("pg-pooler");

    private async Task HoldAsync(string scenario)
    {
        runs.Begin(Catalogue.All.Where(scenario => !scenario.IsPartOfAnother && scenario.Needs.All(need => Requirement.Of(need).IsMet)).Select(Options));

        var result = await runs.OfAsync(Options(Catalogue.Find(scenario)!));

        TestContext.Current.TestOutputHelper?.WriteLine(Report.Line(result));
        Assert.True(result.Verdict.Violations.Count == 0, string.Join('\n', result.Verdict.Violations.Select(violation => $"{violation.Check}: {violation.Text}").Prepend(Report.Line(result))));
        Assert.True(result.Options.Scenario.Workload == Workload.Schedule ? result.Run.Fires.Count > 5 : result.Handovers > 3, $"Too little happened to be judged. {Report.Line(result)}");
        Assert.Equal(result.Options.Scenario.Faults.Contains(FaultKind.StepDown), result.Run.Holdings.Any(holding => holding.Successor is not null));
        Assert.Equal(result.Options.Scenario.ProgressTimeout is not null, result.Hung > 0);
        Assert.Equal(result.Options.Scenario.Faults.Contains(FaultKind.Drain), result.Run.Drains.Any(drain => drain.Drained is not null));
        Assert.Equal(result.Options.Scenario.Faults.Any(fault => fault is FaultKind.Promote or FaultKind.CancelAndPromote), result.Run.Takeovers.Count > 0);
        Assert.Equal(result.Options.Scenario.IsGuarded, result is { Run.GuardedWrites.Count: > 10, Uncommitted: > 0 });
        Assert.Empty(NeverGranted(result));
        Assert.Equal(result.Options.Scenario.Faults.Count > 0, result.Happened.Count > 0);
    }

    /// <summary>Each worker gets its turn at each of the locks that several may hold, and each kind of share is granted.</summary>
    private static IEnumerable<string> NeverGranted(RunResult result)
    {
        if (result.Options.Scenario.Workload != Workload.Shares)
        {
            return [];
        }

        string[] locks = [Capacities.Semaphore, Capacities.ReaderWriter];
        var workers = Enumerable.Range(1, result.Options.Scenario.Workers).SelectMany(i => locks.Select(name => $"w{i} {name}"));
        return workers.Concat(Enum.GetNames<LockShareKind>()).Except(result.Run.Holdings.SelectMany(holding => new[] { $"{holding.Worker} {holding.Lock}", holding.Share.ToString()! }));
    }

    private static RunOptions Options(Scenario scenario) => new(scenario, ContenderKind.Coordination, Seed, scenario.Brief);
}
