using Coordination.Redis.Tests.Servers;
using Coordination.TestKit.Servers;
using StackExchange.Redis;

namespace Coordination.Redis.Tests.Probing;

/// <summary>Servers that do not reply to all that the examination at start would like to know, and keep locks all the same.</summary>
[Needs(Need.RedisServer)]
public sealed class SilentServerTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [Failure("F56")]
    [InlineData("INFO", 1109)]
    [InlineData("GET", null)]
    [InlineData("INFO GET", 1110)]
    [InlineData("CONFIG ROLE CLIENT SCRIPT CLUSTER", null)]
    [InlineData("HELLO UNLINK SELECT UNSUBSCRIBE", null)]
    [InlineData("INFO CONFIG ROLE CLIENT SCRIPT CLUSTER HELLO PUBSUB COMMAND REPLICAOF", 1109)]
    public async Task A_server_that_renamed_what_locks_can_do_without_is_fit(string renamed, int? line)
    {
        string[] commands = renamed.Split(' ');
        await using var server = await RedisProcess.StartAsync([.. commands.SelectMany(command => (string[])["--rename-command", command, ""])]);
        await using var node = new TestNode(server.ConnectionString, "test", probe: true);

        await StartAsync(node);

        AssertSays(node, line);
        Assert.True((await node.Store.AcquireAsync(Requests.Acquire("orders", new("ada", 1), TimeSpan.FromSeconds(10)), Token)).IsGranted);
    }

    [Theory]
    [Failure("F56")]
    [InlineData("-info", 1109)]
    [InlineData("-get", null)]
    [InlineData("-info -get", 1110)]
    [InlineData("-info -config -role -client -cluster -hello -pubsub -select -command", 1109)]
    public async Task A_user_without_the_rights_that_locks_can_do_without_is_fit(string rights, int? line)
    {
        await using var server = await RedisProcess.StartAsync(["--user", "app", ">app-password", "on", "~*", "&*", "+@all", .. rights.Split(' ')]);
        await using var node = new TestNode(server.ConnectionString + ",user=app,password=app-password", "test", probe: true);

        await StartAsync(node);

        AssertSays(node, line);
        Assert.True((await node.Store.AcquireAsync(Requests.Acquire("orders", new("ada", 1), TimeSpan.FromSeconds(10)), Token)).IsGranted);
    }

    /// <summary>A proxy finds the server for a script by its keys, and refuses one that has none.</summary>
    [Fact]
    [Failure("F56")]
    public async Task Every_script_has_a_key()
    {
        await using var server = await RedisProcess.StartAsync("--slowlog-log-slower-than", "0", "--slowlog-max-len", "10000");
        await using var node = new TestNode(server.ConnectionString, "test", probe: true);

        await StartAsync(node);

        var log = (RedisResult[])(await RedisTopology.AskAsync(server, "SLOWLOG", "GET", "10000"))!;
        var scripts = log.Select(entry => (string[])((RedisResult[])entry!)[3]!).Where(words => words[0].StartsWith("EVAL", StringComparison.OrdinalIgnoreCase)).ToArray();
        Assert.NotEmpty(scripts);
        Assert.All(scripts, words => Assert.NotEqual("0", words[2]));
    }

    private static Task StartAsync(TestNode node) =>
        node.ExamineAsync(Token);

    private static void AssertSays(TestNode node, int? line)
    {
        var lines = node.Logs.GetSnapshot();
        Assert.Contains(lines, one => one.Id.Id == 1100);
        Assert.All(line is { } id ? [id] : Array.Empty<int>(), expected => Assert.Contains(lines, one => one.Id.Id == expected));
        Assert.DoesNotContain(lines, one => one.Id.Id is 1109 or 1110 && line is null);
    }
}
