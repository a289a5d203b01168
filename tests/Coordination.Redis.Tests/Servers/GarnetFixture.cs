using Coordination.TestKit.Servers;

namespace Coordination.Redis.Tests.Servers;

/// <summary>A Garnet process.</summary>
public sealed class GarnetFixture : ServerFixture
{
    private GarnetProcess? _server;

    protected override async Task<string> StartAsync()
    {
        _server = await GarnetProcess.StartAsync();
        return _server.ConnectionString;
    }

    protected override ValueTask StopAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;
}
