using Coordination.Hosting.Terms;

namespace Coordination.Hosting.Tests.Services;

public sealed class RestartBackoffTests
{
    [Theory]
    [InlineData(0, 1, 2)]
    [InlineData(1, 2, 4)]
    [InlineData(4, 16, 32)]
    [InlineData(5, 30, 60)]
    [InlineData(1000, 30, 60)]
    [InlineData(int.MaxValue, 30, 60)]
    public void The_delay_doubles_from_the_least_to_the_longest_with_jitter(int failuresBefore, double least, double longest)
    {
        var options = new ExclusiveServiceOptions();
        for (var i = 0; i < 100; i++)
        {
            Assert.InRange(RestartBackoff.Delay(options, failuresBefore).TotalSeconds, least, longest);
        }
    }

    [Fact]
    public void The_delay_is_never_under_the_least()
    {
        var options = new ExclusiveServiceOptions { MinRestartDelay = TimeSpan.FromSeconds(10), MaxRestartDelay = TimeSpan.FromSeconds(10) };
        Assert.Equal(TimeSpan.FromSeconds(10), RestartBackoff.Delay(options, 0));
        Assert.Equal(TimeSpan.FromSeconds(10), RestartBackoff.Delay(options, 9));
    }
}
