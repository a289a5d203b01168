using Coordination.Model.Checking;

namespace Coordination.Model;

[Needs(Need.LongTier, Need.Spin, Need.CCompiler)]
public sealed class ServiceTests
{
    [Fact]
    [Promise("G4", "G7", "G9")]
    public async Task Three_live_waiters_are_served_in_order_when_a_node_dies_and_messages_are_lost() =>
        (await Spin.FindStarvationAsync("service", "NODES=3", "NOTHING_LATE")).Holds(atLeast: 100_000);

    [Fact]
    [Promise("G4", "G7", "G9")]
    public async Task Two_live_waiters_are_served_in_order_when_commands_are_late_too() =>
        (await Spin.FindStarvationAsync("service", "NODES=2")).Holds(atLeast: 10_000);

    [Fact]
    [Promise("G7")]
    [Failure("F2")]
    public async Task Every_live_waiter_is_served_with_every_notification_lost_and_two_nodes_dead() =>
        (await Spin.FindStarvationAsync("service", "NODES=3", "NOTHING_LATE", "ONCE", "SILENT", "CRASHES=2")).Holds(atLeast: 50_000);

    [Fact]
    [Promise("G4", "G7", "G9", "G14")]
    public async Task Live_waiters_are_served_when_a_leader_steps_down_for_a_node_that_it_names() =>
        (await Spin.FindStarvationAsync("service", "NODES=3", "NOTHING_LATE", "ONCE", "NAMES=2")).Holds(atLeast: 50_000);

    [Fact]
    [Promise("G2", "G14")]
    public async Task A_twin_that_steps_down_before_its_work_has_ended_is_refuted() =>
        (await Spin.FindExpectedViolationAsync("service", "NODES=3", "NOTHING_LATE", "ONCE", "NAMES=1", "WORK_GOES_ON")).IsRefuted("G2_told_first");

    /// <summary>A limit that is known: who hears nothing for ever can be overtaken for ever by those who come again without end.</summary>
    [Fact]
    public async Task With_every_notification_lost_those_who_come_again_for_ever_can_starve_a_waiter() =>
        (await Spin.FindStarvationAsync("service", "NODES=3", "NOTHING_LATE", "SILENT")).Starves();

    [Theory]
    [Promise("G4", "G7")]
    [InlineData("MESSAGE_ALONE")]
    [InlineData("NO_LIVENESS_CHECK")]
    public async Task A_broken_twin_starves_a_waiter(string twin) =>
        (await Spin.FindStarvationAsync("service", "NODES=3", "NOTHING_LATE", "ONCE", twin)).Starves();

    /// <summary>They let newcomers barge: at any time, or where the flag says wrongly that nobody waits.</summary>
    [Theory]
    [Promise("G9")]
    [InlineData("BARGING")]
    [InlineData("FLAG_CLEARED")]
    public async Task A_twin_in_which_newcomers_overtake_is_refuted(string twin) =>
        (await Spin.FindExpectedViolationAsync("service", "NODES=3", "NOTHING_LATE", twin)).IsRefuted("G9_fair");
}
