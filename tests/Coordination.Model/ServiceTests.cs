using Coordination.Model.Checking;

namespace Coordination.Model;

[Needs(Need.LongTier, Need.Spin, Need.CCompiler)]
public sealed class ServiceTests
{
    [Fact]
    public async Task G4_G7_G9_Every_live_waiter_of_three_is_served_in_order_when_a_node_dies_and_messages_are_lost() =>
        (await Spin.FindStarvationAsync("service", "NODES=3", "NOTHING_LATE")).Holds(atLeast: 100_000);

    [Fact]
    public async Task G4_G7_G9_Every_live_waiter_of_two_is_served_in_order_when_commands_are_late_too() =>
        (await Spin.FindStarvationAsync("service", "NODES=2")).Holds(atLeast: 10_000);

    [Fact]
    public async Task G7_F2_Every_live_waiter_is_served_with_every_notification_lost_and_two_nodes_dead() =>
        (await Spin.FindStarvationAsync("service", "NODES=3", "NOTHING_LATE", "ONCE", "SILENT", "CRASHES=2")).Holds(atLeast: 50_000);

    /// <summary>A limit that is known: who hears nothing for ever can be overtaken for ever by those who come again without end.</summary>
    [Fact]
    public async Task With_every_notification_lost_those_who_come_again_without_end_can_starve_a_waiter() =>
        (await Spin.FindStarvationAsync("service", "NODES=3", "NOTHING_LATE", "SILENT")).Starves();

    [Theory]
    [InlineData("MESSAGE_ALONE")]
    [InlineData("NO_LIVENESS_CHECK")]
    public async Task G4_G7_Its_broken_twin_starves_a_waiter(string twin) =>
        (await Spin.FindStarvationAsync("service", "NODES=3", "NOTHING_LATE", "ONCE", twin)).Starves();

    [Fact]
    public async Task G9_Its_twin_that_lets_newcomers_barge_is_refuted() =>
        (await Spin.FindViolationAsync("service", "NODES=3", "NOTHING_LATE", "BARGING")).IsRefuted("G9_fair");
}
