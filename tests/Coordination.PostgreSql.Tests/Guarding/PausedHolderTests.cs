using System.Data.Common;
using Coordination.PostgreSql.Tests.Servers;
using Coordination.Stores;
using Coordination.TestKit.Nodes;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Coordination.PostgreSql.Tests.Guarding;

/// <summary>A transaction that keeps the lock from whoever is next after its lease is over does so for a bounded time, whatever its session waits for.</summary>
[Needs(Need.PostgreSql)]
public sealed class PausedHolderTests(PostgreSqlFixture server) : IAsyncLifetime
{
    private const int Ended = 1506;
    private const int NotEnded = 1507;
    private const int Prepared = 1508;

    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);
    private readonly SharedServer _server = new(server);
    private readonly string _name = "paused-" + Guid.NewGuid().ToString("N")[..8];
    private Node? _node;
    private NpgsqlConnection? _users;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private Node Node => _node!;

    private NpgsqlConnection Users => _users!;

    public async ValueTask InitializeAsync()
    {
        await _server.StartAsync();
        _node = new Node(_server.Use, static options => options.LeaseDuration = TimeSpan.FromSeconds(3));
        _users = await server.ConnectAsOperatorAsync();
        await Node.Administration.PingAsync(Cancellation);
        await _server.ExecuteAsync($"CREATE TABLE {_server.Schema}.work (done bigint)");
    }

    public async ValueTask DisposeAsync()
    {
        await Users.DisposeAsync();
        await Node.DisposeAsync();
        await _server.DisposeAsync();
    }

    /// <summary>The server's session sends or waits for what the client sends, where no time limit of the server's ends it.</summary>
    [Theory]
    [Promise("G4")]
    [InlineData(HolderProcess.Reading, "ClientWrite")]
    [InlineData(HolderProcess.Copying, "ClientRead")]
    public async Task A_holder_paused_in_a_statement_is_ended_a_lease_after_its_lease(string work, string waitsFor)
    {
        await using var holder = await HolderProcess.StartAsync(await server.GetConnectionStringAsync(), _server.Schema, _name, work);
        holder.Pause();
        await Eventually.IsTrueAsync(async () => await AskAsync($"SELECT wait_event FROM pg_stat_activity WHERE pid = {holder.Session}") == waitsFor, Bound);

        await using (await Node.GetLock(_name).AcquireAsync(Cancellation).WaitAsync(Bound, Cancellation))
        {
            var ended = Assert.Single(Node.Logs.GetSnapshot(), static line => line.Id.Id == Ended);
            Assert.Contains($"session {holder.Session} of", ended.Message, StringComparison.Ordinal);
            Assert.Contains(waitsFor, ended.Message, StringComparison.Ordinal);
        }

        Assert.Equal("0", await AskAsync($"SELECT count(*) FROM {_server.Schema}.work"));
    }

    [Fact]
    [Promise("G1")]
    public async Task A_transaction_busy_for_longer_than_its_lease_stands_while_that_is_renewed()
    {
        await using var node = new Node(_server.Use, static options => options.LeaseDuration = TimeSpan.FromSeconds(1.5));
        await using var lease = await node.GetLock(_name).AcquireAsync(Cancellation);
        await using var transaction = await Users.BeginTransactionAsync(Cancellation);
        await lease.GuardAsync(transaction, Cancellation);
        var next = Node.GetLock(_name).AcquireAsync(Cancellation);
        await using (var busy = new NpgsqlCommand($"INSERT INTO {_server.Schema}.work SELECT 1 FROM pg_sleep(8)", Users, transaction))
        {
            await busy.ExecuteNonQueryAsync(Cancellation);
        }

        await transaction.CommitAsync(Cancellation);
        Assert.False(next.IsCompleted);
        Assert.Equal(ReleaseResult.Released, await lease.ReleaseAsync(Cancellation));
        await (await next.WaitAsync(Bound, Cancellation)).DisposeAsync();
        Assert.Equal("1", await AskAsync($"SELECT count(*) FROM {_server.Schema}.work"));
        AssertSaid(Node);
    }

    [Fact]
    [Promise("G1")]
    public async Task A_transaction_whose_lease_has_just_ended_is_left_to_commit()
    {
        await using var transaction = await GuardAsync(Users);
        await EndLeaseAsync(TimeSpan.FromSeconds(30));
        Assert.Null(await Node.GetLock(_name).TryAcquireAsync(TimeSpan.FromSeconds(1), Cancellation));
        await transaction.CommitAsync(Cancellation);
        await (await Node.GetLock(_name).AcquireAsync(Cancellation).WaitAsync(Bound, Cancellation)).DisposeAsync();
        AssertSaid(Node);
    }

    /// <summary>Of several that share the lock of the fence, and of others that work with the same tables.</summary>
    [Fact]
    [Promise("G1", "G4")]
    public async Task All_sessions_that_a_grant_which_is_long_over_guards_are_ended_and_no_other()
    {
        await using var first = await GuardAsync(Users);
        await using var alike = await server.ConnectAsOperatorAsync();
        await using var second = await GuardAsync(alike);
        await using var bystander = await server.ConnectAsOperatorAsync();
        await using var standing = await GuardAsync(bystander, _name + "-other");
        await using var stranger = await server.ConnectAsOperatorAsync();
        await using var strange = await stranger.BeginTransactionAsync(Cancellation);
        await using (var work = new NpgsqlCommand($"INSERT INTO {_server.Schema}.work VALUES (1); SELECT * FROM {_server.Schema}.fences", stranger, strange))
        {
            await work.ExecuteNonQueryAsync(Cancellation);
        }

        await EndLeaseAsync(TimeSpan.FromHours(1));
        await (await Node.GetLock(_name).AcquireAsync(Cancellation).WaitAsync(Bound, Cancellation)).DisposeAsync();
        await Assert.ThrowsAnyAsync<DbException>(() => first.CommitAsync(Cancellation));
        await Assert.ThrowsAnyAsync<DbException>(() => second.CommitAsync(Cancellation));
        await standing.CommitAsync(Cancellation);
        await strange.CommitAsync(Cancellation);
        AssertSaid(Node, Ended, Ended);
    }

    [Fact]
    [Promise("G4", "G12")]
    public async Task A_session_that_this_node_may_not_end_is_named_once_and_waited_for()
    {
        var (holders, nodes) = (_server.Schema + "_holders", _server.Schema + "_nodes");
        await _server.ExecuteAsync($"""
            CREATE ROLE {holders} LOGIN; CREATE ROLE {nodes} LOGIN;
            GRANT USAGE ON SCHEMA {_server.Schema} TO {holders}, {nodes};
            GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {_server.Schema} TO {nodes};
            """);
        await using var node = new Node(builder => builder.UsePostgreSql(AsRole(nodes), options => options.Schema = _server.Schema));
        await using var users = new NpgsqlConnection(AsRole(holders));
        await users.OpenAsync(Cancellation);
        await using var transaction = await GuardAsync(users);
        await EndLeaseAsync(TimeSpan.FromHours(1));
        var next = node.GetLock(_name).AcquireAsync(Cancellation);
        await Eventually.IsTrueAsync(() => node.Logs.GetSnapshot().Any(static line => line.Id.Id == NotEnded), Bound);
        var refused = node.Logs.GetSnapshot().First(static line => line.Id.Id == NotEnded).Message;
        Assert.Contains($"session {users.ProcessID} of the role {holders}", refused, StringComparison.Ordinal);
        Assert.Contains("pg_signal_backend", refused, StringComparison.Ordinal);

        // Tried again meanwhile, and not said again.
        await Task.Delay(TimeSpan.FromSeconds(2.5), Cancellation);
        AssertSaid(node, NotEnded);
        Assert.False(next.IsCompleted);

        await _server.ExecuteAsync($"GRANT {holders} TO {nodes}");
        await (await next.WaitAsync(Bound, Cancellation)).DisposeAsync();
        AssertSaid(node, NotEnded, Ended);

        string AsRole(string role) => new NpgsqlConnectionStringBuilder(Users.ConnectionString) { Username = role }.ConnectionString;
    }

    /// <summary>It has no session that could be ended.</summary>
    [Fact]
    [Promise("G1")]
    public async Task A_prepared_transaction_keeps_the_lock_until_somebody_ends_it()
    {
        var gid = _name + "-gid";
        await using (var transaction = await GuardAsync(Users))
        {
            await using var prepare = new NpgsqlCommand($"PREPARE TRANSACTION '{gid}'", Users, transaction);
            await prepare.ExecuteNonQueryAsync(Cancellation);
        }

        await EndLeaseAsync(TimeSpan.FromHours(1));
        var next = Node.GetLock(_name).AcquireAsync(Cancellation);
        await Eventually.IsTrueAsync(() => Node.Logs.GetSnapshot().Any(static line => line.Id.Id == Prepared), Bound);
        Assert.Contains(gid, Node.Logs.GetSnapshot().First(static line => line.Id.Id == Prepared).Message, StringComparison.Ordinal);
        Assert.False(next.IsCompleted);
        await _server.ExecuteAsync($"COMMIT PREPARED '{gid}'");
        await (await next.WaitAsync(Bound, Cancellation)).DisposeAsync();
    }

    /// <summary>By a holder that is not renewed.</summary>
    private async Task<NpgsqlTransaction> GuardAsync(NpgsqlConnection users, string? name = null)
    {
        var owner = new LockOwner("holder", 1);
        var acquired = await Node.Store.AcquireAsync(
            new AcquireRequest { LockName = name ?? _name, Owner = owner, Entry = 1, LeaseDuration = TimeSpan.FromMinutes(1), ClaimWindow = TimeSpan.FromSeconds(2) }, Cancellation);
        var request = new GuardRequest { LockName = name ?? _name, Owner = owner, FencingToken = acquired.FencingToken!.Value, LeaseDuration = TimeSpan.FromMinutes(1) };
        var fence = (ITransactionalFence)Node.Store;
        Assert.True(await fence.PrepareGuardAsync(request, Cancellation));
        var transaction = await users.BeginTransactionAsync(Cancellation);
        Assert.True(await fence.GuardAsync(request, transaction, Cancellation));
        return transaction;
    }

    /// <summary>As if it had ended before.</summary>
    private Task EndLeaseAsync(TimeSpan before) => _server.ExecuteAsync(
        $"UPDATE {_server.Schema}.locks SET lasts_until = now() - interval '{before.TotalSeconds} s', renewed_at = now() - interval '{before.TotalSeconds + 60} s' WHERE name = '{_name}'");

    private async Task<string?> AskAsync(string text)
    {
        await using var connection = await server.ConnectAsOperatorAsync();
        await using var command = new NpgsqlCommand(text, connection);
        return (await command.ExecuteScalarAsync(Cancellation))?.ToString();
    }

    private static void AssertSaid(Node node, params int[] events) =>
        Assert.Equal(events, node.Logs.GetSnapshot().Select(static line => line.Id.Id).Where(static id => id is >= Ended and <= Prepared));
}
