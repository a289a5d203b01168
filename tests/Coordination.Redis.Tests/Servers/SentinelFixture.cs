using Coordination.TestKit.Servers;

namespace Coordination.Redis.Tests.Servers;

/// <summary>A master and a replica that three sentinels watch.</summary>
public sealed class SentinelFixture : ServerFixture
{
    /// <summary>Longer than a busy machine holds a server up: nothing fails over here.</summary>
    private static readonly TimeSpan DownAfter = TimeSpan.FromSeconds(30);

    private RedisSentinel? _topology;

    protected override async Task<string> StartAsync()
    {
        _topology = await RedisSentinel.StartAsync(DownAfter);
        return _topology.ConnectionString;
    }

    protected override ValueTask StopAsync() => _topology?.DisposeAsync() ?? ValueTask.CompletedTask;
}
