using Coordination.Chaos.Faults;
using Coordination.Chaos.Scenarios;
using Coordination.Chaos.Workers;

namespace Coordination.Chaos.Tests;

public sealed class FaultPlanTests
{
    private static readonly TimeSpan Duration = TimeSpan.FromMinutes(10);
    private static readonly Scenario Mixed = Catalogue.Find("mixed")!;

    [Fact]
    public void A_seed_reproduces_the_schedule() => Assert.Equal(Plan(7), Plan(7));

    [Fact]
    public void Another_seed_gives_another_schedule() => Assert.NotEqual(Plan(7), Plan(8));

    [Fact]
    public void Every_kind_of_fault_happens() => Assert.Equal(Mixed.Faults.Order(), Plan(7).Select(fault => fault.Kind).Distinct().Order());

    [Fact]
    public void Every_kind_of_fault_has_a_scenario_of_its_own() =>
        Assert.Equal(
            Enum.GetValues<FaultKind>(),
            Catalogue.All.Where(scenario => scenario is { Workload: not Workload.Schedule, Faults.Count: > 0 } && scenario != Mixed).SelectMany(scenario => scenario.Faults).Distinct().Order());

    [Fact]
    public void A_brief_run_has_faults() =>
        Assert.All(
            Catalogue.All.Where(scenario => scenario.Faults.Count > 0),
            scenario => Assert.NotEmpty(FaultPlan.Create(20, scenario.Faults, scenario.Brief, scenario.Lease, scenario.Workers, scenario.Locks, scenario.Pause * scenario.Lease, scenario.Recovery * scenario.Lease, scenario.HasLulls)));

    [Fact]
    public void The_end_of_a_run_is_for_recovery() => Assert.All(Plan(7), fault => Assert.True(fault.At < Duration - Mixed.Lease));

    private static IReadOnlyList<Fault> Plan(int seed) =>
        FaultPlan.Create(seed, Mixed.Faults, Duration, Mixed.Lease, Mixed.Workers, Mixed.Locks, Mixed.Pause * Mixed.Lease, Mixed.Recovery * Mixed.Lease);
}
