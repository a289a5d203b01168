using Coordination.TestKit.Clocks;
using Coordination.TestKit.Servers;

namespace Coordination.Redis.Tests.Clocks;

/// <summary>A server's clock is what a test sets it to.</summary>
[Needs(Need.RedisServer, Need.CCompiler)]
public sealed class ProcessClockTests
{
    private static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(5);

    [Theory]
    [InlineData(0)]
    [InlineData(-3600)]
    [InlineData(3600)]
    public async Task A_server_has_the_time_that_was_set_also_in_scripts_and_for_its_keys(int seconds)
    {
        var step = TimeSpan.FromSeconds(seconds);
        using var clock = await ProcessClock.CreateAsync();
        await using var server = await RedisProcess.StartAsync(clock);
        await using var connection = await server.ConnectAsOperatorAsync();
        var database = connection.GetDatabase();
        await database.StringSetAsync("key", "value", TimeSpan.FromMinutes(30));

        clock.Offset = step;

        Assert.Equal(step, clock.Offset);
        var now = await connection.GetServers()[0].TimeAsync();
        Assert.InRange(now - DateTime.UtcNow, step - Tolerance, step + Tolerance);
        var inScript = DateTimeOffset.FromUnixTimeSeconds((long)await database.ScriptEvaluateAsync("return tonumber(redis.call('TIME')[1])"));
        Assert.InRange(inScript - DateTimeOffset.UtcNow, step - Tolerance, step + Tolerance);
        Assert.Equal(seconds <= 0, await database.KeyExistsAsync("key"));
        if (seconds <= 0)
        {
            Assert.InRange((await database.KeyTimeToLiveAsync("key"))!.Value, TimeSpan.FromMinutes(30) - step - Tolerance, TimeSpan.FromMinutes(30) - step + Tolerance);
        }
    }
}
