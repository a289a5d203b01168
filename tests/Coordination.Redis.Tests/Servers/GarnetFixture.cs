using Coordination.TestKit.Servers;
using Coordination.Testing.EmbeddedRedis;

namespace Coordination.Redis.Tests.Servers;

/// <summary>Garnet in this process.</summary>
public sealed class GarnetFixture : ServerFixture
{
    private EmbeddedServer? _server;

    protected override async Task<string> StartAsync()
    {
        _server = await EmbeddedServer.StartAsync(TestContext.Current.CancellationToken);
        return _server.ConnectionString;
    }

    protected override ValueTask StopAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;
}
