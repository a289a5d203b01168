using Coordination.Stores;
using Coordination.TestKit.Nodes;
using Coordination.TestKit.Servers;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Coordination.PostgreSql.Tests.Connections;

/// <summary>A server that hangs: its machine goes on to accept connections for it, and nothing comes from them. The client waits for those for as long as its own settings say.</summary>
[Needs(Need.PostgreSql)]
public sealed class HungServerTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    /// <summary>For who does not wait for the server at all, on a busy machine.</summary>
    private static readonly TimeSpan AtOnce = TimeSpan.FromSeconds(1);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>A release of what it holds, and the end of its connections.</summary>
    [Theory]
    [Promise("G10", "G12")]
    [Failure("F22")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_node_ends_in_time_while_the_server_hangs(bool isShared)
    {
        await using var server = await PostgreSqlProcess.StartAsync();
        await using var source = NpgsqlDataSource.Create(server.ConnectionString);
        await using var node = NodeOf(server, isShared ? source : null);
        var lease = await node.GetLock("one").AcquireAsync(Cancellation);
        Assert.Equal(RenewalResult.Renewed, await lease.RenewAsync(Cancellation));
        using var stop = new CancellationTokenSource();
        var waiting = node.GetLock("one").AcquireAsync(stop.Token);
        await Eventually.IsTrueAsync(async () => (await node.Inspector.InspectAsync("one", cancellationToken: Cancellation)).WaiterCount == 1, Bound);

        server.Suspend();
        var begunAt = TimeProvider.System.GetTimestamp();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.Equal(ReleaseResult.Unknown, await lease.ReleaseAsync(Cancellation));
        await node.DisposeAsync();

        // The release, what was still under way, and some for a busy machine.
        var limit = new CoordinationOptions().ReleaseTimeout;
        Assert.InRange(TimeProvider.System.GetElapsedTime(begunAt), TimeSpan.Zero, (2 * limit) + (2 * AtOnce));
    }

    [Theory]
    [Promise("G8")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Whoever_cancels_a_call_does_not_wait_for_a_server_that_hangs(bool isShared)
    {
        await using var server = await PostgreSqlProcess.StartAsync();
        await using var source = NpgsqlDataSource.Create(server.ConnectionString);
        await using var node = NodeOf(server, isShared ? source : null);
        var store = (ILockStoreAdministration)node.Store;
        await store.InspectAsync("one", maxWaiters: 1, Cancellation);

        server.Suspend();
        using var stop = new CancellationTokenSource();
        var asking = store.InspectAsync("one", maxWaiters: 1, stop.Token);
        Assert.False(asking.IsCompleted);
        var begunAt = TimeProvider.System.GetTimestamp();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
        Assert.InRange(TimeProvider.System.GetElapsedTime(begunAt), TimeSpan.Zero, AtOnce);
    }

    private static Node NodeOf(PostgreSqlProcess server, NpgsqlDataSource? shared) =>
        new(builder => _ = shared is null ? builder.UsePostgreSql(server.ConnectionString) : builder.UsePostgreSql(shared));
}
