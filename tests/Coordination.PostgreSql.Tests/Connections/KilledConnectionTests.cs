using Coordination.PostgreSql.Tests.Servers;
using Coordination.TestKit.Network;
using Coordination.TestKit.Nodes;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Coordination.PostgreSql.Tests.Connections;

/// <summary>Connections that an operator, a pooler or a network ends, or that nobody ends and nothing comes from any more.</summary>
[Needs(Need.PostgreSql)]
public sealed class KilledConnectionTests(PostgreSqlFixture server) : IAsyncLifetime
{
    /// <summary>Far longer than anything here may take: nobody gets a lock because a lease ran out.</summary>
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    private readonly string _schema = "killed_" + Guid.NewGuid().ToString("N")[..8];
    private string _connectionString = "";
    private NpgsqlConnection? _operator;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _connectionString = await server.GetConnectionStringAsync();
        _operator = await server.ConnectAsOperatorAsync();
    }

    public ValueTask DisposeAsync() => _operator!.DisposeAsync();

    [Fact]
    [Promise("G2", "G7")]
    [Failure("F40")]
    public async Task Each_connection_that_is_killed_costs_no_lease_and_wakes_the_waiter()
    {
        await using var holder = NodeOf("holder", _connectionString);
        await using var other = NodeOf("other", _connectionString);
        for (var victim = 0; victim < 4; victim++)
        {
            var lease = await holder.GetLock("one").AcquireAsync(Cancellation).WaitAsync(Bound, Cancellation);
            await RenewAsync(lease);
            var waiting = await BeginToWaitAsync(other, "one");
            var all = await ConnectionsAsync();
            await KillAsync([all[victim % all.Count]]);

            await RenewAsync(lease);
            Assert.Equal(ReleaseResult.Released, await lease.ReleaseAsync(Cancellation));
            await (await waiting.WaitAsync(Bound, Cancellation)).DisposeAsync();
        }
    }

    [Fact]
    [Promise("G2", "G7")]
    [Failure("F40")]
    public async Task All_connections_that_are_killed_at_once_cost_no_lease_and_wake_the_waiter()
    {
        await using var holder = NodeOf("holder", _connectionString);
        await using var other = NodeOf("other", _connectionString);
        var lease = await holder.GetLock("one").AcquireAsync(Cancellation);
        await using var kept = await holder.GetLock("two").AcquireAsync(Cancellation);
        await RenewAsync(lease);
        var waiting = await BeginToWaitAsync(other, "one");

        await KillAsync(await ConnectionsAsync());
        await RenewAsync(lease);
        await RenewAsync(kept);

        // Again, and in the same moment a release of which nobody hears.
        await KillAsync(await ConnectionsAsync());
        Assert.Equal(ReleaseResult.Released, await lease.ReleaseAsync(Cancellation));
        await (await waiting.WaitAsync(Bound, Cancellation)).DisposeAsync();
        Assert.Equal(LeaseState.Held, kept.State);
    }

    /// <summary>No packet says that it is gone: a question does to which nobody replies.</summary>
    [Fact]
    [Promise("G7")]
    [Failure("F2")]
    public async Task A_listening_connection_that_swallows_everything_is_found_and_made_anew()
    {
        await using var proxy = new ChaosProxy(new NpgsqlConnectionStringBuilder(_connectionString).Port);
        await using var holder = NodeOf("holder", _connectionString);
        await using var deaf = NodeOf("deaf", new NpgsqlConnectionStringBuilder(_connectionString) { Port = proxy.Port }.ConnectionString);
        var lease = await holder.GetLock("one").AcquireAsync(Cancellation);
        var waiting = await BeginToWaitAsync(deaf, "one");

        proxy.Begin(ProxyMode.BlackHole);

        // Also where that node was in the middle of a transaction, which has the row until the server ends its session.
        Assert.Equal(ReleaseResult.Released, await lease.ReleaseAsync(Cancellation));

        // Ten seconds of silence, and the time for a reply.
        await Eventually.IsTrueAsync(() => deaf.Logs.GetSnapshot().Any(line => line.Id.Id == 1503), Bound);
        Assert.False(waiting.IsCompleted);
        proxy.End();
        await (await waiting.WaitAsync(Bound, Cancellation)).DisposeAsync();
        await Eventually.IsTrueAsync(() => deaf.Logs.GetSnapshot().Any(line => line.Id.Id == 1504), Bound);
    }

    [Fact]
    [Promise("G2", "G12")]
    [Failure("F2")]
    public async Task Connections_that_swallow_everything_for_a_while_cost_no_lease()
    {
        await using var proxy = new ChaosProxy(new NpgsqlConnectionStringBuilder(_connectionString).Port);
        var settings = new NpgsqlConnectionStringBuilder(_connectionString) { Port = proxy.Port }.ConnectionString;
        await using var holder = NodeOf("holder", settings, TimeSpan.FromSeconds(15));
        await using var lease = await holder.GetLock("one").AcquireAsync(Cancellation);
        await RenewAsync(lease);

        proxy.Begin(ProxyMode.BlackHole);
        // The node knows that the store is away.
        await Eventually.IsTrueAsync(() => holder.Logs.GetSnapshot().Any(line => line.Id.Id == 1010), Bound);
        proxy.End();
        await RenewAsync(lease);
    }

    /// <summary>The network is back, and the connections that were there before are dead: nobody ends them. A pool of the application's waits for them for 15 seconds and more.</summary>
    [Theory]
    [Promise("G2", "G12")]
    [Failure("F2")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Connections_that_are_dead_and_that_nobody_ends_cost_no_lease(bool isShared)
    {
        await using var proxy = new ChaosProxy(new NpgsqlConnectionStringBuilder(_connectionString).Port);
        var settings = new NpgsqlConnectionStringBuilder(_connectionString) { Port = proxy.Port }.ConnectionString;
        await using var shared = NpgsqlDataSource.Create(settings);
        await using var holder = isShared
            ? new Node(builder => builder.UsePostgreSql(shared, options => options.Schema = _schema), options => options.LeaseDuration = TimeSpan.FromSeconds(15))
            : NodeOf("holder", settings, TimeSpan.FromSeconds(15));
        await using var lease = await holder.GetLock("one").AcquireAsync(Cancellation);
        await RenewAsync(lease);

        proxy.Begin(ProxyMode.BlackHole);
        await Eventually.IsTrueAsync(() => holder.Logs.GetSnapshot().Any(line => line.Id.Id == 1010), Bound);
        proxy.Begin(ProxyMode.Pass);
        await RenewAsync(lease);
        Assert.DoesNotContain(holder.Logs.GetSnapshot(), line => line.Id.Id == 1004);
    }

    /// <summary>As by a network that ends what is silent for a while.</summary>
    [Fact]
    [Promise("G7")]
    public async Task A_listening_connection_that_is_killed_now_and_then_is_back_at_once_each_time()
    {
        await using var holder = NodeOf("holder", _connectionString);
        await using var lease = await holder.GetLock("one").AcquireAsync(Cancellation);
        for (var kills = 1; kills <= 6; kills++)
        {
            await Eventually.IsTrueAsync(async () => (await ConnectionsAsync("LISTEN%")).Count == 1, Bound);

            // For as long as one stands that is not lost at once.
            await Task.Delay(TimeSpan.FromSeconds(1.5), Cancellation);
            await KillAsync(await ConnectionsAsync("LISTEN%"));
            await Eventually.IsTrueAsync(() => holder.Logs.GetSnapshot().Count(line => line.Id.Id == 1504) == kills, TimeSpan.FromSeconds(2.5));
        }
    }

    private Node NodeOf(string name, string connectionString, TimeSpan? lease = null) => new(
        builder => builder.UsePostgreSql($"{connectionString};Application Name={_schema}_{name}", options => options.Schema = _schema),
        options => options.LeaseDuration = lease ?? Lease);

    private static async Task<Task<ILockLease>> BeginToWaitAsync(Node node, string name)
    {
        var waiting = node.GetLock(name).AcquireAsync(Cancellation);
        await Eventually.IsTrueAsync(async () => (await node.Inspector.InspectAsync(name, cancellationToken: Cancellation)).WaiterCount == 1, Bound);
        return waiting;
    }

    /// <summary>A renewal on a connection that was killed says that it does not know; the next one has another connection.</summary>
    private static async Task RenewAsync(ILockLease lease)
    {
        await Eventually.IsTrueAsync(async () => await lease.RenewAsync(Cancellation) == RenewalResult.Renewed, Bound);
        Assert.Equal(LeaseState.Held, lease.State);
    }

    private async Task<List<int>> ConnectionsAsync(string lastQuery = "%")
    {
        await using var look = new NpgsqlCommand("SELECT pid FROM pg_stat_activity WHERE application_name LIKE $1 AND query LIKE $2 ORDER BY application_name, pid", _operator);
        look.Parameters.Add(new NpgsqlParameter<string> { TypedValue = _schema + "%" });
        look.Parameters.Add(new NpgsqlParameter<string> { TypedValue = lastQuery });
        await using var reader = await look.ExecuteReaderAsync(Cancellation);
        var all = new List<int>();
        while (await reader.ReadAsync(Cancellation))
        {
            all.Add(reader.GetInt32(0));
        }

        return all;
    }

    private async Task KillAsync(List<int> connections)
    {
        await using var kill = new NpgsqlCommand("SELECT pg_terminate_backend(pid) FROM unnest($1) AS pid", _operator);
        kill.Parameters.Add(new NpgsqlParameter<int[]> { TypedValue = [.. connections] });
        await kill.ExecuteNonQueryAsync(Cancellation);
    }
}
