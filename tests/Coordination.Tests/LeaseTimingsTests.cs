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

    [Fact]
    public void Equal_timings_are_equal() =>
        Assert.Equal(LeaseTimings.Of(Options), LeaseTimings.Of(Options, new LockOptions { LeaseDuration = Options.LeaseDuration }));
}
