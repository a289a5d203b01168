using Coordination.TestKit.Servers;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace Coordination.Redis.Tests.Servers;

/// <summary>A test's part of a server that all tests share: what has its prefix.</summary>
internal sealed class SharedServer(ServerFixture server) : IAsyncDisposable
{
    private readonly string _prefix = "test-" + Guid.NewGuid().ToString("N")[..8];
    private ConfigurationOptions? _settings;
    private TestNode? _node;

    public async Task<TestNode> StartNodeAsync() => _node = new TestNode(await server.GetSettingsAsync(), _prefix);

    /// <summary>Before <see cref="Use"/>.</summary>
    public async Task StartAsync() => _settings = await server.GetSettingsAsync();

    public void Use(ICoordinationBuilder builder) =>
        builder.UseRedis(_settings!, options =>
        {
            options.KeyPrefix = _prefix;
            options.ProbeOnStart = false;
        });

    public async Task LoseAllDataAsync()
    {
        await using var connection = await server.ConnectAsOperatorAsync();
        await Keyspace.LoseAsync(connection, _prefix);
    }

    public async Task AssertOnlyTokenLeftAsync(string lockName)
    {
        await using var connection = await server.ConnectAsOperatorAsync();
        await Keyspace.AssertOnlyTokenLeftAsync(connection, _prefix, lockName);
    }

    /// <summary>Ends the node that it started.</summary>
    public ValueTask DisposeAsync() => _node?.DisposeAsync() ?? ValueTask.CompletedTask;
}
