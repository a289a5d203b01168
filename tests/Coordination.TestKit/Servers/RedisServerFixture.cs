namespace Coordination.TestKit.Servers;

/// <summary>A redis-server process.</summary>
public sealed class RedisServerFixture : ServerFixture
{
    private RedisProcess? _server;

    protected override async Task<string> StartAsync()
    {
        _server = await RedisProcess.StartAsync();
        return _server.ConnectionString;
    }

    protected override ValueTask StopAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;
}
