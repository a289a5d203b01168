using Coordination.TestKit.Needs;

namespace Coordination.TestKit.Servers;

/// <summary>
/// The server of tests that need some server, and are not about it: redis-server where there is one, else Garnet. The test program has to be one when it
/// is asked to: see <see cref="GarnetProcess"/>.
/// </summary>
public sealed class AnyServerFixture : ServerFixture
{
    private IAsyncDisposable? _server;

    protected override async Task<string> StartAsync()
    {
        if (Requirement.Of(Need.RedisServer).IsMet)
        {
            var redis = await RedisProcess.StartAsync();
            _server = redis;
            return redis.ConnectionString;
        }

        var garnet = await GarnetProcess.StartAsync();
        _server = garnet;
        return garnet.ConnectionString;
    }

    protected override ValueTask StopAsync() => _server?.DisposeAsync() ?? ValueTask.CompletedTask;
}
