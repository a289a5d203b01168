using System.Data.Common;
using Coordination.PostgreSql.Tests.Servers;
using Coordination.TestKit.Nodes;
using Npgsql;

namespace Coordination.PostgreSql.Tests.Guarding;

/// <summary>A transaction that was to be guarded and is not commits nothing, whatever its user does with the exception.</summary>
[Needs(Need.PostgreSql)]
public sealed class RefusedGuardTests(PostgreSqlFixture server) : IAsyncLifetime
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(10);
    private readonly SharedServer _server = new(server);
    private readonly string _name = "refused-" + Guid.NewGuid().ToString("N")[..8];
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

        // So seldom renewed that it hears of nothing during a test.
        _first = new Node(_server.Use, options => options.LeaseDuration = TimeSpan.FromMinutes(10));
        _second = new Node(_server.Use, options => options.LeaseDuration = TimeSpan.FromMinutes(10));
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

    /// <summary>The lease guards for the first time, so nothing of it was made ready.</summary>
    [Theory]
    [Promise("G1")]
    [InlineData("UPDATE {0}.locks SET lasts_until = renewed_at WHERE name = '{1}'", false)]
    [InlineData("UPDATE {0}.locks SET lasts_until = renewed_at WHERE name = '{1}'", true)]
    [InlineData("DELETE FROM {0}.locks WHERE name = '{1}'", false)]
    [InlineData("DELETE FROM {0}.locks WHERE name = '{1}'", true)]
    public async Task The_first_guard_of_a_lease_that_another_followed_leaves_nothing_to_commit(string end, bool hasSavepoint)
    {
        await using var lease = await First.GetLock(_name).AcquireAsync(Cancellation);
        await _server.ExecuteAsync(string.Format(System.Globalization.CultureInfo.InvariantCulture, end, _server.Schema, _name));
        await using var next = await Second.GetLock(_name).AcquireAsync(Cancellation).WaitAsync(Bound, Cancellation);
        Assert.Equal(LeaseState.Held, lease.State);

        await using var transaction = await BeginWorkAsync(hasSavepoint);
        await Assert.ThrowsAsync<LeaseLostException>(() => lease.GuardAsync(transaction, Cancellation));
        await AssertCannotCommitAsync(transaction, hasSavepoint);
    }

    [Theory]
    [Promise("G1")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_lease_that_was_released_leaves_nothing_to_commit(bool hasSavepoint)
    {
        var lease = await First.GetLock(_name).AcquireAsync(Cancellation);
        await lease.ReleaseAsync(Cancellation);
        await using var transaction = await BeginWorkAsync(hasSavepoint);
        await Assert.ThrowsAsync<InvalidOperationException>(() => lease.GuardAsync(transaction, Cancellation));
        await AssertCannotCommitAsync(transaction, hasSavepoint);
    }

    /// <summary>Whichever of the two is first: a transaction that is guarded keeps the next one waiting, and one that is not commits nothing.</summary>
    [Fact]
    [Promise("G1")]
    public async Task A_guard_beside_a_release_is_guarded_or_commits_nothing()
    {
        for (var turn = 0; turn < 30; turn++)
        {
            var name = $"{_name}-{turn}";
            var lease = await First.GetLock(name).AcquireAsync(Cancellation);
            await using var transaction = await BeginWorkAsync(hasSavepoint: false);
            var guarding = lease.GuardAsync(transaction, Cancellation);
            if (turn % 3 == 0)
            {
                // So that the release comes at another moment each time.
                await Task.Delay(TimeSpan.FromMilliseconds(turn % 7), Cancellation);
            }

            var releasing = lease.ReleaseAsync(Cancellation);
            var isGuarded = await Record.ExceptionAsync(() => guarding) is null;
            var before = await CountAsync();
            await Record.ExceptionAsync(() => transaction.CommitAsync(Cancellation));
            Assert.Equal(isGuarded ? 1 : 0, await CountAsync() - before);
            await releasing.WaitAsync(Bound, Cancellation);
        }
    }

    [Theory]
    [Promise("G1")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_guard_that_is_not_made_ready_leaves_nothing_to_commit(bool isCancelled)
    {
        await using var lease = await First.GetLock(_name).AcquireAsync(Cancellation);
        await using var byHand = await server.ConnectAsOperatorAsync();
        await using var locking = await byHand.BeginTransactionAsync(Cancellation);
        await using var look = new NpgsqlCommand($"SELECT FROM {_server.Schema}.locks WHERE name = '{_name}' FOR UPDATE", byHand, locking);
        await look.ExecuteNonQueryAsync(Cancellation);

        await using var transaction = await BeginWorkAsync(hasSavepoint: true);
        using var cancelling = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        if (isCancelled)
        {
            cancelling.CancelAfter(TimeSpan.FromMilliseconds(200));
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => lease.GuardAsync(transaction, cancelling.Token));
        }
        else
        {
            Assert.True((await Assert.ThrowsAsync<LockStoreException>(() => lease.GuardAsync(transaction, Cancellation))).IsLockBusy);
        }

        await locking.RollbackAsync(Cancellation);
        await AssertCannotCommitAsync(transaction, hasSavepoint: true);
        Assert.Equal(LeaseState.Held, lease.State);
    }

    /// <summary>It waits for a row, in the transaction itself.</summary>
    [Theory]
    [Promise("G1")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_guard_that_is_cut_short_leaves_nothing_to_commit(bool isCancelled)
    {
        await using var lease = await First.GetLock(_name).AcquireAsync(Cancellation);
        await using (var before = await BeginWorkAsync(hasSavepoint: false))
        {
            await lease.GuardAsync(before, Cancellation);
        }

        await using var byHand = await server.ConnectAsOperatorAsync();
        await using var locking = await byHand.BeginTransactionAsync(Cancellation);
        await using var look = new NpgsqlCommand($"SELECT FROM {_server.Schema}.fences WHERE name = '{_name}' FOR UPDATE", byHand, locking);
        await look.ExecuteNonQueryAsync(Cancellation);

        await using var transaction = await BeginWorkAsync(hasSavepoint: false);
        using var cancelling = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        if (isCancelled)
        {
            cancelling.CancelAfter(TimeSpan.FromMilliseconds(200));
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => lease.GuardAsync(transaction, cancelling.Token));
        }
        else
        {
            Assert.True((await Assert.ThrowsAsync<LockStoreException>(() => lease.GuardAsync(transaction, Cancellation))).IsTransient);
        }

        await locking.RollbackAsync(Cancellation);
        await AssertCannotCommitAsync(transaction, hasSavepoint: false);
    }

    /// <summary>The usual way out of an exception, which is not to hide it.</summary>
    [Fact]
    public async Task A_transaction_that_is_refused_is_rolled_back_as_ever()
    {
        var lease = await First.GetLock(_name).AcquireAsync(Cancellation);
        await lease.ReleaseAsync(Cancellation);
        await using (var transaction = await BeginWorkAsync(hasSavepoint: false))
        {
            await Assert.ThrowsAsync<InvalidOperationException>(() => lease.GuardAsync(transaction, Cancellation));

            // What follows on the connection is in no transaction of its own.
            await using var more = new NpgsqlCommand($"INSERT INTO {_server.Schema}.work VALUES (2)", Users);
            Assert.Equal("25P02", (await Assert.ThrowsAsync<PostgresException>(() => more.ExecuteNonQueryAsync(Cancellation))).SqlState);
            await transaction.RollbackAsync(Cancellation);
        }

        await using (var other = await BeginWorkAsync(hasSavepoint: false))
        {
            await other.CommitAsync(Cancellation);
        }

        Assert.Equal(1, await CountAsync());
    }

    /// <summary>A rollback to it would give the lock away.</summary>
    [Theory]
    [Promise("G1")]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_guard_after_a_savepoint_is_refused(int others)
    {
        await using var lease = await First.GetLock(_name).AcquireAsync(Cancellation);
        await using var guarded = new Guarded(server);
        await guarded.GuardAsync(lease, others);
        await using (var transaction = await BeginWorkAsync(hasSavepoint: true))
        {
            var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => lease.GuardAsync(transaction, Cancellation));
            Assert.Contains("before the first savepoint", refused.Message, StringComparison.Ordinal);
            await AssertCannotCommitAsync(transaction, hasSavepoint: true);
        }

        Assert.Equal(LeaseState.Held, lease.State);
        await using (var again = await BeginWorkAsync(hasSavepoint: true))
        {
            await again.ReleaseAsync("mine", Cancellation);
            await lease.GuardAsync(again, Cancellation);
            await again.CommitAsync(Cancellation);
        }

        Assert.Equal(1, await CountAsync());
    }

    [Theory]
    [Promise("G1")]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public async Task A_savepoint_after_the_guard_takes_nothing_of_it_back(int others)
    {
        await using var lease = await First.GetLock(_name).AcquireAsync(Cancellation);
        await using var guarded = new Guarded(server);
        await using var transaction = await BeginWorkAsync(hasSavepoint: false);
        await lease.GuardAsync(transaction, Cancellation);
        await guarded.GuardAsync(lease, others);
        await transaction.SaveAsync("mine", Cancellation);
        await WorkAsync(transaction);
        await lease.GuardAsync(transaction, Cancellation);
        await transaction.RollbackAsync("mine", Cancellation);
        await guarded.DisposeAsync();

        await _server.ExecuteAsync($"UPDATE {_server.Schema}.locks SET lasts_until = renewed_at WHERE name = '{_name}'");
        Assert.Null(await Second.GetLock(_name).TryAcquireAsync(Cancellation));
        await transaction.CommitAsync(Cancellation);
        await using var next = await Second.GetLock(_name).AcquireAsync(Cancellation).WaitAsync(Bound, Cancellation);
        Assert.Equal(1, await CountAsync());
    }

    [Fact]
    public async Task A_transaction_that_is_read_only_is_refused_with_a_sentence()
    {
        await using var lease = await First.GetLock(_name).AcquireAsync(Cancellation);
        await using var transaction = await Users.BeginTransactionAsync(Cancellation);
        await using var set = new NpgsqlCommand("SET TRANSACTION READ ONLY", Users, transaction);
        await set.ExecuteNonQueryAsync(Cancellation);
        var refused = await Assert.ThrowsAsync<ArgumentException>(() => lease.GuardAsync(transaction, Cancellation));
        Assert.Contains("READ WRITE", refused.Message, StringComparison.Ordinal);
        Assert.Equal(LeaseState.Held, lease.State);
    }

    [Fact]
    [Promise("G1")]
    public async Task A_transaction_that_has_failed_before_is_refused_with_a_sentence()
    {
        await using var lease = await First.GetLock(_name).AcquireAsync(Cancellation);
        await using var transaction = await BeginWorkAsync(hasSavepoint: true);
        await using var fail = new NpgsqlCommand("SELECT 1 / 0", Users, transaction);
        await Assert.ThrowsAsync<PostgresException>(() => fail.ExecuteNonQueryAsync(Cancellation));
        var refused = await Assert.ThrowsAsync<ArgumentException>(() => lease.GuardAsync(transaction, Cancellation));
        Assert.Contains("has failed before", refused.Message, StringComparison.Ordinal);
        await AssertCannotCommitAsync(transaction, hasSavepoint: true);
        Assert.Equal(LeaseState.Held, lease.State);
    }

    [Fact]
    public async Task A_transaction_with_an_open_reader_is_refused_and_guarded_when_that_is_closed()
    {
        await using var lease = await First.GetLock(_name).AcquireAsync(Cancellation);
        await using var transaction = await BeginWorkAsync(hasSavepoint: false);
        await using var look = new NpgsqlCommand("SELECT generate_series(1, 100000)", Users, transaction);
        await using (await look.ExecuteReaderAsync(Cancellation))
        {
            var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => lease.GuardAsync(transaction, Cancellation));
            Assert.Contains("Close the reader", refused.Message, StringComparison.Ordinal);
        }

        await lease.GuardAsync(transaction, Cancellation);
        await transaction.CommitAsync(Cancellation);
        Assert.Equal(1, await CountAsync());
    }

    private async Task<NpgsqlTransaction> BeginWorkAsync(bool hasSavepoint)
    {
        var transaction = await Users.BeginTransactionAsync(Cancellation);
        await WorkAsync(transaction);
        if (hasSavepoint)
        {
            await transaction.SaveAsync("mine", Cancellation);
        }

        return transaction;
    }

    private async Task WorkAsync(NpgsqlTransaction transaction)
    {
        await using var work = new NpgsqlCommand($"INSERT INTO {_server.Schema}.work VALUES (1)", Users, transaction);
        await work.ExecuteNonQueryAsync(Cancellation);
    }

    /// <summary>As whoever catches everything and goes on would find it.</summary>
    private async Task AssertCannotCommitAsync(DbTransaction transaction, bool hasSavepoint)
    {
        if (hasSavepoint)
        {
            await Record.ExceptionAsync(() => transaction.RollbackAsync("mine", Cancellation));
        }

        await Record.ExceptionAsync(() => transaction.CommitAsync(Cancellation));
        Assert.Equal(0, await CountAsync());
    }

    private async Task<long> CountAsync()
    {
        await using var connection = await server.ConnectAsOperatorAsync();
        await using var count = new NpgsqlCommand($"SELECT count(*) FROM {_server.Schema}.work", connection);
        return (long)(await count.ExecuteScalarAsync(Cancellation))!;
    }

    /// <summary>Other transactions that a lease guards at the same time.</summary>
    private sealed class Guarded(PostgreSqlFixture server) : IAsyncDisposable
    {
        private readonly List<NpgsqlConnection> _connections = [];

        public async Task GuardAsync(ILease lease, int count)
        {
            for (var i = 0; i < count; i++)
            {
                _connections.Add(await server.ConnectAsOperatorAsync());
                await lease.GuardAsync(await _connections[^1].BeginTransactionAsync(Cancellation), Cancellation);
            }
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var connection in _connections)
            {
                await connection.DisposeAsync();
            }

            _connections.Clear();
        }
    }
}
