using Coordination.Hosting.Periodic;

namespace Coordination.Hosting.Tests.Periodic;

[Failure("F67")]
public sealed class PeriodicScheduleTests
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Theory]
    [InlineData(0, 12)]
    [InlineData(1, 12)]
    [InlineData(59, 12)]
    [InlineData(60, 13)]
    public void With_no_jitter_a_slot_is_due_at_its_start(int minutes, int hour) =>
        Assert.Equal(hour, new PeriodicSchedule("work", Hour, TimeSpan.Zero).LastDue(Noon.AddMinutes(minutes)).Hour);

    [Fact]
    public void The_jitter_of_a_slot_is_the_same_on_every_node_and_another_for_each_slot()
    {
        var schedule = new PeriodicSchedule("work", Hour, Hour / 2);
        var slots = Enumerable.Range(0, 100).Select(slot => Noon + (slot * Hour)).ToArray();
        var jitters = slots.Select(slot => schedule.DueAt(slot) - slot).ToArray();

        Assert.Equal(jitters, slots.Select(slot => new PeriodicSchedule("work", Hour, Hour / 2).DueAt(slot) - slot));
        Assert.All(jitters, jitter => Assert.InRange(jitter, TimeSpan.Zero, Hour / 2));
        Assert.Equal(100, jitters.Distinct().Count());
        Assert.NotEqual(schedule.DueAt(Noon), new PeriodicSchedule("other work", Hour, Hour / 2).DueAt(Noon));
    }

    [Fact]
    public void A_slot_whose_jitter_has_not_passed_is_not_due()
    {
        var schedule = new PeriodicSchedule("work", Hour, Hour / 2);
        var due = schedule.DueAt(Noon);

        Assert.Equal(Noon - Hour, schedule.LastDue(due - TimeSpan.FromTicks(1)));
        Assert.Equal(Noon, schedule.LastDue(due));
    }
}
