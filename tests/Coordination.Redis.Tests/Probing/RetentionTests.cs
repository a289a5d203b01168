using Coordination.Redis.Tests.Servers;
using Coordination.TestKit.Servers;
using Microsoft.Extensions.Logging;

namespace Coordination.Redis.Tests.Probing;

/// <summary>F92: a server that may lose locks is not said to be fit without saying that.</summary>
[Needs(Need.RedisServer)]
public sealed class RetentionTests
{
    private const string Evicts = "it evicts keys when its memory is full";
    private const string Forgets = "it keeps nothing over a restart";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [Failure("F92")]
    [InlineData("allkeys-lru")]
    [InlineData("volatile-ttl")]
    public async Task A_server_that_may_evict_locks_is_warned_of_with_its_policy(string policy)
    {
        await using var server = await RedisProcess.StartAsync("--maxmemory", "100mb", "--maxmemory-policy", policy, "--appendonly", "yes");

        var warning = Assert.Single(await StartAsync(server, 1114));

        Assert.Contains($"{Evicts} (maxmemory-policy is {policy}, maxmemory 104857600 bytes)", warning, StringComparison.Ordinal);
        Assert.DoesNotContain(Forgets, warning, StringComparison.Ordinal);
    }

    [Fact]
    [Failure("F92")]
    public async Task A_server_that_forgets_locks_at_a_restart_is_warned_of()
    {
        await using var server = await RedisProcess.StartAsync("--appendonly", "no");

        var warning = Assert.Single(await StartAsync(server, 1114));

        Assert.Contains(Forgets, warning, StringComparison.Ordinal);
        Assert.DoesNotContain(Evicts, warning, StringComparison.Ordinal);
    }

    [Fact]
    [Failure("F92")]
    public async Task One_warning_names_both_and_the_server_is_not_called_fit_without_it()
    {
        await using var server = await RedisProcess.StartAsync("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lfu");
        await using var node = await StartNodeAsync(server);

        var lines = node.Logs.GetSnapshot();
        var warning = Assert.Single(lines, line => line.Id.Id == 1114);
        Assert.Equal(LogLevel.Warning, warning.Level);
        Assert.Contains(Evicts, warning.Message, StringComparison.Ordinal);
        Assert.Contains(Forgets, warning.Message, StringComparison.Ordinal);
        Assert.Contains("as long as it does not lose them", Assert.Single(lines, line => line.Id.Id == 1100).Message, StringComparison.Ordinal);
    }

    [Theory]
    [Failure("F92")]
    [InlineData("--appendonly", "yes")]
    [InlineData("--appendonly", "yes", "--maxmemory", "100mb", "--maxmemory-policy", "noeviction")]
    [InlineData("--appendonly", "yes", "--maxmemory-policy", "allkeys-lru")]
    public async Task Of_a_server_that_keeps_locks_nobody_is_warned(params string[] settings)
    {
        await using var server = await RedisProcess.StartAsync(settings);

        Assert.Empty(await StartAsync(server, 1114, 1115));
    }

    [Fact]
    [Failure("F92")]
    public async Task A_server_with_save_points_keeps_locks()
    {
        await using var server = await RedisProcess.StartAsync();
        await RedisTopology.AskAsync(server, "CONFIG", "SET", "save", "900 1");

        Assert.Empty(await StartAsync(server, 1114, 1115));
    }

    [Fact]
    [Failure("F92")]
    public async Task What_a_server_does_not_say_is_named()
    {
        await using var server = await RedisProcess.StartAsync("--rename-command", "CONFIG", "", "--maxmemory", "100mb", "--maxmemory-policy", "noeviction");

        var line = Assert.Single(await StartAsync(server, 1114, 1115));

        Assert.Contains("whether it keeps its data over a restart", line, StringComparison.Ordinal);
    }

    [Fact]
    [Failure("F92")]
    public async Task Of_a_server_that_says_nothing_of_itself_both_are_named()
    {
        await using var server = await RedisProcess.StartAsync("--rename-command", "INFO", "", "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru");

        Assert.Equal(
            "The Redis server does not say whether it evicts keys when its memory is full (maxmemory-policy should be noeviction); whether it keeps its data over a restart (appendonly should be yes).",
            Assert.Single(await StartAsync(server, 1114, 1115)));
    }

    private static async Task<string[]> StartAsync(RedisProcess server, params int[] ids)
    {
        await using var node = await StartNodeAsync(server);
        Assert.Contains(node.Logs.GetSnapshot(), line => line.Id.Id == 1100);
        return [.. node.Logs.GetSnapshot().Where(line => ids.Contains(line.Id.Id)).Select(line => line.Message)];
    }

    private static async Task<TestNode> StartNodeAsync(RedisProcess server)
    {
        var node = new TestNode(server.ConnectionString, "test", probe: true);
        await node.ExamineAsync(Token);
        return node;
    }
}
