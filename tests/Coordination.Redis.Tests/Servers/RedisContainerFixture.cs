using Coordination.TestKit.Servers;
using Testcontainers.Redis;

namespace Coordination.Redis.Tests.Servers;

/// <summary>Redis in a container.</summary>
public sealed class RedisContainerFixture : ServerFixture
{
    private const string Image = "redis:7.0";
    private RedisContainer? _container;

    protected override async Task<string> StartAsync()
    {
        Requirement.Demand(Need.ContainerEngine);
        _container = new RedisBuilder(Image).Build();
        await _container.StartAsync(TestContext.Current.CancellationToken);
        return _container.GetConnectionString();
    }

    protected override ValueTask StopAsync() => _container?.DisposeAsync() ?? ValueTask.CompletedTask;
}
