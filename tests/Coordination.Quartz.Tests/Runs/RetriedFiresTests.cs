using Coordination.Quartz.Execution;
using Coordination.Stores;
using Quartz;

namespace Coordination.Quartz.Tests.Runs;

public sealed class RetriedFiresTests
{
    [Fact]
    public void A_fire_is_kept_until_it_is_forgotten_and_a_later_one_takes_its_place()
    {
        var (retried, trigger) = (new RetriedFires(), new TriggerKey("nightly"));
        Assert.False(retried.TryGet(trigger, out _));
        retried.Keep(trigger, Fire("first"));
        retried.Keep(trigger, Fire("second"));
        Assert.True(retried.TryGet(trigger, out var fire));
        Assert.Equal(("second", 1), (fire.Run, retried.Count));
        retried.Forget(trigger);
        retried.Forget(trigger);
        Assert.False(retried.TryGet(trigger, out _));
        Assert.Equal(0, retried.Count);
    }

    [Fact]
    public void A_fire_is_not_forgotten_because_another_one_of_its_trigger_has_ended()
    {
        var (retried, trigger) = (new RetriedFires(), new TriggerKey("nightly"));
        retried.Keep(trigger, Fire("first"));
        retried.Forget(trigger, Fire("second"));
        Assert.True(retried.TryGet(trigger, out _));
        retried.Forget(trigger, Fire("first"));
        Assert.False(retried.TryGet(trigger, out _));
    }

    /// <summary>As with triggers that fire once, and are deleted before their retry.</summary>
    [Fact]
    public void Of_more_than_there_is_room_for_the_oldest_are_forgotten()
    {
        var retried = new RetriedFires();
        for (var i = 0; i < RetriedFires.Capacity + 2; i++)
        {
            retried.Keep(new TriggerKey($"once-{i}"), Fire($"run-{i}"));

            // Of use again and again, and so never among the oldest.
            retried.Keep(new TriggerKey("often"), Fire("often"));
        }

        Assert.Equal(RetriedFires.Capacity, retried.Count);
        Assert.True(retried.TryGet(new TriggerKey("often"), out _));
        Assert.False(retried.TryGet(new TriggerKey("once-2"), out _));
        Assert.True(retried.TryGet(new TriggerKey("once-3"), out _));
    }

    private static Occurrence Fire(string run) => new() { Series = "nightly", Time = DateTimeOffset.UnixEpoch, Run = run, RememberFor = TimeSpan.FromDays(1) };
}
