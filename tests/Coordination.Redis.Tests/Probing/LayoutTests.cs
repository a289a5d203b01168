using Coordination.Redis.Tests.Servers;
using Coordination.TestKit.Servers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Coordination.Redis.Tests.Probing;

/// <summary>Two versions whose locks have different layouts do not see each other's locks: a node that finds those of another version does not start.</summary>
[Needs(Need.RedisServer)]
public sealed class LayoutTests(RedisServerFixture server)
{
    private readonly string _prefix = "test-" + Guid.NewGuid().ToString("N")[..8];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [Promise("G15")]
    [InlineData(":v1:{orders}:lock")]
    [InlineData(":v3:{orders}")]
    [InlineData(":v12:{orders}:waiters")]
    public async Task Locks_of_another_layout_under_the_prefix_fail_the_start_with_their_key(string key)
    {
        await using var node = new TestNode(await server.GetConnectionStringAsync(), _prefix, probe: true);
        await using var connection = await server.ConnectAsOperatorAsync();
        await connection.GetDatabase().StringSetAsync(_prefix + key, "what another version wrote", TimeSpan.FromMinutes(1));

        var error = await Assert.ThrowsAsync<LockStoreException>(() => StartAsync(node));

        Assert.False(error.IsTransient);
        Assert.Contains(_prefix + key, error.Message, StringComparison.Ordinal);
        Assert.Contains(_prefix + ":v2:", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [Promise("G15")]
    [InlineData(":v2:{orders}")]
    [InlineData(":versions:{orders}")]
    [InlineData(":v:{orders}")]
    [InlineData("-other:v1:{orders}:lock")]
    public async Task Keys_of_this_layout_and_of_something_else_are_no_obstacle(string key)
    {
        await using var node = new TestNode(await server.GetConnectionStringAsync(), _prefix, probe: true);
        await using var connection = await server.ConnectAsOperatorAsync();
        await connection.GetDatabase().StringSetAsync(_prefix + key, "anything", TimeSpan.FromMinutes(1));
        await StartAsync(node);
    }

    private static async Task StartAsync(TestNode node)
    {
        foreach (var step in node.Services.GetServices<IHostedService>().OfType<IHostedLifecycleService>())
        {
            await step.StartingAsync(Token);
            await step.StartAsync(Token);
            await step.StartedAsync(Token);
        }
    }
}
