using Coordination.TestKit.Servers;
using DotNet.Testcontainers.Builders;
using Testcontainers.Redis;

namespace Coordination.Redis.Tests.Servers;

/// <summary>Redis in a container.</summary>
public sealed class RedisContainerFixture : ServerFixture
{
    private const string Image = "redis:7.0";
    private RedisContainer? _container;

    protected override async Task<string> StartAsync()
    {
        try
        {
            _container = new RedisBuilder(Image).Build();
            await _container.StartAsync(TestContext.Current.CancellationToken);
        }
        catch (DockerUnavailableException)
        {
            Assert.Skip($"needs a container engine that can start {Image}: install Docker, or set DOCKER_HOST");
        }

        return _container.GetConnectionString();
    }

    protected override ValueTask StopAsync() => _container?.DisposeAsync() ?? ValueTask.CompletedTask;
}
