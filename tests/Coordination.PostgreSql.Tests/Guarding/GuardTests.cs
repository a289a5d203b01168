using System.Data;
using System.Data.Common;
using Coordination.PostgreSql.Tests.Servers;
using Coordination.TestKit.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Coordination.PostgreSql.Tests.Guarding;

/// <summary>Transactions of users that commit only while a lease stands.</summary>
[Needs(Need.PostgreSql)]
public sealed class GuardTests(PostgreSqlFixture server) : IAsyncLifetime
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(10);
    private readonly SharedServer _server = new(server);
    private readonly string _name = "guard-" + Guid.NewGuid().ToString("N")[..8];
    private Node? _first;
    private Node? _second;
    private NpgsqlConnection? _users;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private Node First => _first!;

    private Node Second => _second!;

    private NpgsqlConnection Users => _users!;

    public async ValueTask InitializeAsync()
    {
        await _server.StartAsync();
        _first = new Node(_server.Use, options => options.LeaseDuration = TimeSpan.FromSeconds(3));
        _second = new Node(_server.Use, options => options.LeaseDuration = TimeSpan.FromSeconds(3));
        _users = await server.ConnectAsOperatorAsync();
        await First.Administration.PingAsync(Cancellation);
        await _server.ExecuteAsync($"CREATE TABLE {_server.Schema}.work (done bigint)");
    }

    public async ValueTask DisposeAsync()
    {
        await Users.DisposeAsync();
        await First.DisposeAsync();
        await Second.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_transaction_that_a_live_lease_guards_commits()
    {
        await using var lease = await First.GetLock(_name).AcquireAsync(Cancellation);
        for (var i = 0; i < 2; i++)
        {
            await using var transaction = await BeginWorkAsync();
            await lease.GuardAsync(transaction, Cancellation);
            await transaction.CommitAsync(Cancellation);
        }

        Assert.Equal(2, await CountAsync());
        Assert.Equal(ReleaseResult.Released, await lease.ReleaseAsync(Cancellation));
        await _server.AssertOnlyTokenLeftAsync(_name);
    }

    [Fact]
    [Promise("G1")]
    public async Task A_holder_that_another_followed_cannot_commit()
    {
        await using var lease = await First.GetLock(_name).AcquireAsync(Cancellation);
        await using (var before = await BeginWorkAsync())
        {
            await lease.GuardAsync(before, Cancellation);
        }

        // By hand, so that the holder does not hear of it.
        await _server.ExecuteAsync($"UPDATE {_server.Schema}.locks SET lasts_until = renewed_at WHERE name = '{_name}'");
        await using var next = await Second.GetLock(_name).AcquireAsync(Cancellation).WaitAsync(Bound, Cancellation);

        await using var transaction = await BeginWorkAsync();
        await Assert.ThrowsAsync<LeaseLostException>(() => lease.GuardAsync(transaction, Cancellation));
        await AssertCannotCommitAsync(transaction);
    }

    /// <summary>Whoever catches the exception commits nothing all the same.</summary>
    [Fact]
    [Promise("G1")]
    public async Task The_server_itself_refuses_the_commit_of_a_grant_that_has_ended()
    {
        var lease = await First.GetLock(_name).AcquireAsync(Cancellation);
        await using (var before = await BeginWorkAsync())
        {
            await lease.GuardAsync(before, Cancellation);
        }

        await lease.ReleaseAsync(Cancellation);
        await using var transaction = await BeginWorkAsync();
        var refused = await Assert.ThrowsAsync<PostgresException>(() => GuardByHandAsync(transaction, lease.FencingToken));
        Assert.Equal("CF001", refused.SqlState);
        await AssertCannotCommitAsync(transaction);
    }

    [Fact]
    [Promise("G1")]
    public async Task Nobody_is_granted_the_lock_before_a_guarded_transaction_has_ended()
    {
        var lease = await First.GetLock(_name).AcquireAsync(Cancellation);
        await using var transaction = await BeginWorkAsync();
        await lease.GuardAsync(transaction, Cancellation);
        await _server.ExecuteAsync($"UPDATE {_server.Schema}.locks SET lasts_until = renewed_at, owner = 'somebody/1' WHERE name = '{_name}'");

        var next = Second.GetLock(_name).AcquireAsync(Cancellation);
        Assert.Null(await Second.GetLock(_name).TryAcquireAsync(Cancellation));

        // Nothing is to happen: as long as it takes to ask again twice.
        await Task.Delay(TimeSpan.FromMilliseconds(500), Cancellation);
        Assert.False(next.IsCompleted);

        await transaction.CommitAsync(Cancellation);
        await using var granted = await next.WaitAsync(Bound, Cancellation);
        Assert.True(granted.FencingToken > lease.FencingToken);
        Assert.Equal(1, await CountAsync());
    }

    [Fact]
    [Promise("G4")]
    public async Task A_holder_that_is_paused_in_its_transaction_is_ended_within_its_lease()
    {
        var lease = await First.GetLock(_name).AcquireAsync(Cancellation);
        await using var transaction = await BeginWorkAsync();
        await lease.GuardAsync(transaction, Cancellation);
        await First.DisposeAsync();

        // It is not renewed any more, and its transaction idles.
        await using var next = await Second.GetLock(_name).AcquireAsync(Cancellation).WaitAsync(Bound, Cancellation);
        await Assert.ThrowsAnyAsync<DbException>(() => transaction.CommitAsync(Cancellation));
        Assert.Equal(0, await CountAsync());
    }

    /// <summary>It sees nothing that is newer than its first statement, and so not what its guard made ready: the lease is not lost by that.</summary>
    [Theory]
    [InlineData(IsolationLevel.RepeatableRead)]
    [InlineData(IsolationLevel.Serializable)]
    public async Task A_transaction_with_a_snapshot_older_than_its_guard_is_to_be_begun_again(IsolationLevel level)
    {
        await using var lease = await First.GetLock(_name).AcquireAsync(Cancellation);
        await using (var before = await BeginWorkAsync(level))
        {
            var again = await Assert.ThrowsAsync<LockStoreException>(() => lease.GuardAsync(before, Cancellation));
            Assert.True(again.IsTransient);
            Assert.Equal("40001", Assert.IsType<PostgresException>(again.InnerException).SqlState);
        }

        Assert.Equal(LeaseState.Held, lease.State);
        await using (var transaction = await BeginWorkAsync(level))
        {
            await lease.GuardAsync(transaction, Cancellation);
            await transaction.CommitAsync(Cancellation);
        }

        Assert.Equal(1, await CountAsync());

        // One that has ended is told as ended.
        await using var late = await BeginWorkAsync(level);
        var refused = await Assert.ThrowsAsync<PostgresException>(() => GuardByHandAsync(late, lease.FencingToken + 1));
        Assert.Equal("CF001", refused.SqlState);
    }

    /// <summary>It began while the lease stood, and sees it stand for ever.</summary>
    [Fact]
    [Promise("G1")]
    public async Task A_transaction_with_a_snapshot_of_a_lease_that_has_ended_since_cannot_commit()
    {
        var lease = await First.GetLock(_name).AcquireAsync(Cancellation);
        await using (var before = await BeginWorkAsync())
        {
            await lease.GuardAsync(before, Cancellation);
        }

        await using var transaction = await BeginWorkAsync(IsolationLevel.RepeatableRead);
        await lease.ReleaseAsync(Cancellation);
        await Assert.ThrowsAsync<PostgresException>(() => GuardByHandAsync(transaction, lease.FencingToken));
        await AssertCannotCommitAsync(transaction);
    }

    [Fact]
    public async Task A_lease_that_was_released_guards_nothing()
    {
        var lease = await First.GetLock(_name).AcquireAsync(Cancellation);
        await lease.ReleaseAsync(Cancellation);
        await using var transaction = await BeginWorkAsync();
        await Assert.ThrowsAsync<InvalidOperationException>(() => lease.GuardAsync(transaction, Cancellation));
    }

    [Fact]
    public async Task A_transaction_that_has_ended_is_refused_with_a_sentence()
    {
        await using var lease = await First.GetLock(_name).AcquireAsync(Cancellation);
        var transaction = await BeginWorkAsync();
        await transaction.CommitAsync(Cancellation);
        var refused = await Assert.ThrowsAsync<ArgumentException>(() => lease.GuardAsync(transaction, Cancellation));
        Assert.Contains("has ended", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_without_transactions_says_that_it_cannot_guard_any()
    {
        await using var node = new Node(builder => builder.UseInMemory());
        await using var lease = await node.GetLock(_name).AcquireAsync(Cancellation);
        await using var transaction = await BeginWorkAsync();
        var refused = await Assert.ThrowsAsync<NotSupportedException>(() => lease.GuardAsync(transaction, Cancellation));
        Assert.Contains("memory", refused.Message, StringComparison.Ordinal);
        await transaction.CommitAsync(Cancellation);
    }

    private async Task<NpgsqlTransaction> BeginWorkAsync(IsolationLevel level = IsolationLevel.ReadCommitted)
    {
        var transaction = await Users.BeginTransactionAsync(level, Cancellation);
        await using var work = new NpgsqlCommand($"INSERT INTO {_server.Schema}.work VALUES (1)", Users, transaction);
        await work.ExecuteNonQueryAsync(Cancellation);
        return transaction;
    }

    private async Task GuardByHandAsync(NpgsqlTransaction transaction, long token)
    {
        await using var guard = new NpgsqlCommand($"SELECT {_server.Schema}.guard($1, $2, 1000)", Users, transaction);
        guard.Parameters.Add(new NpgsqlParameter<string> { TypedValue = _name });
        guard.Parameters.Add(new NpgsqlParameter<long> { TypedValue = token });
        await guard.ExecuteNonQueryAsync(Cancellation);
    }

    private async Task AssertCannotCommitAsync(NpgsqlTransaction transaction)
    {
        // The server makes a rollback of it, and some versions of the client throw.
        await Record.ExceptionAsync(() => transaction.CommitAsync(Cancellation));
        Assert.Equal(0, await CountAsync());
    }

    private async Task<long> CountAsync()
    {
        await using var connection = await server.ConnectAsOperatorAsync();
        await using var count = new NpgsqlCommand($"SELECT count(*) FROM {_server.Schema}.work", connection);
        return (long)(await count.ExecuteScalarAsync(Cancellation))!;
    }
}
