namespace Coordination.Tests;

public sealed class LeaseTimingsTests
{
    private static readonly CoordinationOptions Options = new() { LeaseDuration = TimeSpan.FromSeconds(15) };

    [Fact]
    public void By_default_a_lease_is_renewed_each_third_and_told_of_a_fifth_before_its_end()
    {
        var timings = LeaseTimings.Of(Options);
        Assert.Equal((TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(3)), (timings.Duration, timings.RenewalInterval, timings.SafetyMargin));
    }

    [Fact]
    public void A_lock_with_another_duration_keeps_the_proportions()
    {
        var timings = LeaseTimings.Of(Options, new LockOptions { LeaseDuration = TimeSpan.FromMinutes(1) });
        Assert.Equal((TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(12)), (timings.Duration, timings.RenewalInterval, timings.SafetyMargin));
    }

    /// <summary>Node settings that are valid, and leave no room for their proportions in a short lease: lease, interval, margin; and the lock's lease, all in ms.</summary>
    [Theory]
    [Failure("F51")]
    [InlineData(15_000, 20, 13_480, 1_000)]
    [InlineData(15_000, 100, 13_400, 100)]
    [InlineData(1_000, 20, 880, 100)]
    [InlineData(86_400_000, 20, 77_759_980, 1_000)]
    [InlineData(86_400_000, 77_759_980, 20, 100)]
    public void No_lock_is_renewed_more_often_than_any_may_be(int lease, int interval, int margin, int ofLock)
    {
        var node = new CoordinationOptions
        {
            LeaseDuration = TimeSpan.FromMilliseconds(lease),
            RenewalInterval = TimeSpan.FromMilliseconds(interval),
            SafetyMargin = TimeSpan.FromMilliseconds(margin),
        };

        var timings = LeaseTimings.Of(node, new LockOptions { LeaseDuration = TimeSpan.FromMilliseconds(ofLock) });

        Assert.True(timings.RenewalInterval >= TimeSpan.FromMilliseconds(20), $"{timings.RenewalInterval}");
        Assert.True(timings.SafetyMargin >= TimeSpan.FromMilliseconds(20), $"{timings.SafetyMargin}");
        Assert.True(timings.RenewalInterval + timings.SafetyMargin <= 0.9 * timings.Duration, $"{timings.RenewalInterval} and {timings.SafetyMargin}");
    }

    [Fact]
    public void Equal_timings_are_equal() =>
        Assert.Equal(LeaseTimings.Of(Options), LeaseTimings.Of(Options, new LockOptions { LeaseDuration = Options.LeaseDuration }));
}
