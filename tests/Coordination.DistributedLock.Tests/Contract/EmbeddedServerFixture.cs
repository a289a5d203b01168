using Coordination.Testing.EmbeddedRedis;
using Coordination.TestKit.Servers;

namespace Coordination.DistributedLock.Tests.Contract;

/// <summary>The embedded server, in this process.</summary>
public sealed class EmbeddedServerFixture : ServerFixture
{
    private EmbeddedServer? _server;

    protected override async Task<string> StartAsync()
    {
        _server = await EmbeddedServer.StartAsync(TestContext.Current.CancellationToken);
        return _server.ConnectionString;
    }

    protected override ValueTask StopAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;
}
