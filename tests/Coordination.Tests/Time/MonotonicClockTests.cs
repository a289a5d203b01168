using Coordination.Time;

namespace Coordination.Tests.Time;

public sealed class MonotonicClockTests
{
    [Theory]
    [InlineData(1_000_000_000, 9_000_000_000_000_000_007, "104166.16:00:00.0000000")]
    [InlineData(10_000_000, 864_000_000_001, "1.00:00:00.0000001")]
    [InlineData(3, 10, "00:00:03.3333333")]
    public void A_moment_keeps_every_digit_however_long_the_machine_runs(long frequency, long timestamp, string uptime) =>
        Assert.Equal(TimeSpan.Parse(uptime, System.Globalization.CultureInfo.InvariantCulture), new StandingClock(frequency, timestamp).Uptime);

    private sealed class StandingClock(long frequency, long timestamp) : TimeProvider
    {
        public override long TimestampFrequency => frequency;

        public override long GetTimestamp() => timestamp;
    }
}
