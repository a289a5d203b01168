using Coordination.Redis.Tests.Servers;
using Coordination.TestKit.Servers;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.Logging;

namespace Coordination.Redis.Tests.Connections;

/// <summary>F86: a server that closes connections which are idle for too long is no reason to warn anybody.</summary>
[Needs(Need.RedisServer)]
public sealed class IdleTests
{
    private const int Closed = 1116;
    private const int Lost = 1101;
    private const int Restored = 1102;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Failure("F86")]
    public async Task Of_an_idle_connection_that_is_closed_and_restored_at_once_nobody_is_warned()
    {
        await using var server = await RedisProcess.StartAsync("--timeout", "1");
        await using var node = new TestNode(server.ConnectionString, "test");
        await node.Administration.PingAsync(Token);

        await Eventually.IsTrueAsync(() => node.Logs.GetSnapshot().Count(line => line.Id.Id == Closed) >= 2, Patience, "the server closes the connection twice");

        Assert.DoesNotContain(node.Logs.GetSnapshot(), line => line.Level > LogLevel.Debug);
    }

    [Fact]
    [Failure("F86")]
    public async Task Of_a_connection_that_stays_away_there_is_one_warning_and_a_line_when_it_is_back()
    {
        await using var server = await RedisProcess.StartAsync();
        await using var node = new TestNode(server.ConnectionString, "test");
        await node.Administration.PingAsync(Token);

        await server.KillAsync();
        await Eventually.IsTrueAsync(() => node.Logs.GetSnapshot().Any(line => line.Id.Id == Lost), Patience, "the loss is told");
        await server.StartAgainAsync();
        await Eventually.IsTrueAsync(() => node.Logs.GetSnapshot().Any(line => line.Id.Id == Restored), Patience, "the connection is restored");

        Assert.Single(node.Logs.GetSnapshot(), line => line.Id.Id == Lost);
        Assert.DoesNotContain(node.Logs.GetSnapshot(), line => line.Id.Id == Closed);
    }
}
