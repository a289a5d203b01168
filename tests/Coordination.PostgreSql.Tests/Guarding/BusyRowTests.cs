using Coordination.PostgreSql.Tests.Servers;
using Coordination.Stores;
using Coordination.TestKit.Nodes;
using Coordination.TestKit.Waiting;
using Npgsql;

namespace Coordination.PostgreSql.Tests.Guarding;

/// <summary>A row that somebody keeps locked is no outage: the lock that it is of waits, and no other.</summary>
[Needs(Need.PostgreSql)]
public sealed class BusyRowTests(PostgreSqlFixture server) : IAsyncLifetime
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);

    /// <summary>More than they take on a busy machine, and less than a row is kept locked.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(5);

    private readonly SharedServer _server = new(server);
    private readonly string _name = "busy-" + Guid.NewGuid().ToString("N")[..8];
    private Node? _node;
    private NpgsqlConnection? _users;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private Node Node => _node!;

    private NpgsqlConnection Users => _users!;

    public async ValueTask InitializeAsync()
    {
        await _server.StartAsync();

        // A row is waited for for a second and a half, and a reply for half a second longer.
        _node = new Node(_server.Use);
        _users = await server.ConnectAsOperatorAsync();
        await Node.Administration.PingAsync(Cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await Users.DisposeAsync();
        await Node.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    [Promise("G5", "G12")]
    public async Task A_release_before_the_end_of_its_own_transaction_holds_up_no_other_lock()
    {
        var lease = await Node.GetLock(_name).AcquireAsync(Cancellation);
        await using var transaction = await Users.BeginTransactionAsync(Cancellation);
        await lease.GuardAsync(transaction, Cancellation);
        var releasing = lease.ReleaseAsync(Cancellation);

        await UseOthersAsync(whileTrue: () => !Node.Logs.GetSnapshot().Any(IsOfBusyLock));
        Assert.False(releasing.IsCompleted);

        await transaction.CommitAsync(Cancellation);
        Assert.Equal(ReleaseResult.Released, await releasing.WaitAsync(Bound, Cancellation));
        AssertNoOutage();
    }

    /// <summary>Its last attempt has less time than a row is waited for.</summary>
    [Fact]
    [Promise("G12")]
    public async Task A_release_that_gives_up_before_the_end_of_its_own_transaction_is_no_outage()
    {
        var lease = await Node.GetLock(_name).AcquireAsync(Cancellation);
        await using var transaction = await Users.BeginTransactionAsync(Cancellation);
        await lease.GuardAsync(transaction, Cancellation);
        Assert.Equal(ReleaseResult.Unknown, await lease.ReleaseAsync(Cancellation).WaitAsync(Bound, Cancellation));
        AssertNoOutage();
    }

    [Fact]
    [Promise("G12")]
    public async Task A_row_that_is_locked_by_hand_holds_up_its_own_lock_alone()
    {
        await using var held = await Node.GetLock(_name + "-held").AcquireAsync(Cancellation);
        await using (var before = await Node.GetLock(_name).AcquireAsync(Cancellation))
        {
            // So that it has a row.
        }

        await using var byHand = await LockByHandAsync();
        var waiting = Node.GetLock(_name).AcquireAsync(Cancellation);
        var trying = Node.GetLock(_name).TryAcquireAsync(Cancellation);

        await UseOthersAsync(whileTrue: () => !Node.Logs.GetSnapshot().Any(IsOfBusyLock) || !trying.IsCompleted);
        var busy = await Assert.ThrowsAsync<LockStoreException>(() => trying);
        Assert.True(busy.IsLockBusy, busy.ToString());
        Assert.False(waiting.IsCompleted);

        await byHand.RollbackAsync(Cancellation);
        await (await waiting.WaitAsync(Bound, Cancellation)).DisposeAsync();
        Assert.Equal(LeaseState.Held, held.State);
        AssertNoOutage();
    }

    /// <summary>A lease so short that its calls are given up before a row is waited for as long as else.</summary>
    [Fact]
    [Promise("G12")]
    public async Task A_short_lease_on_a_row_that_is_locked_by_hand_holds_up_no_other()
    {
        // A row is waited for for a second and a half, and this lock's calls take 300 ms at most.
        await using var node = new Node(_server.Use);
        var name = node.GetLock(_name, new LockOptions { LeaseDuration = TimeSpan.FromMilliseconds(900) });
        await (await name.AcquireAsync(Cancellation)).ReleaseAsync(Cancellation);
        await using var byHand = await LockByHandAsync();
        var waiting = name.AcquireAsync(Cancellation);

        await Eventually.IsTrueAsync(() => node.Logs.GetSnapshot().Any(line => line.Id.Id is 1010 or 1018), Bound);
        await byHand.RollbackAsync(Cancellation);
        await (await waiting.WaitAsync(Bound, Cancellation)).DisposeAsync();
        Assert.DoesNotContain(node.Logs.GetSnapshot(), line => line.Id.Id == 1010);
    }

    [Fact]
    [Promise("G2")]
    public async Task The_row_of_one_lease_that_is_locked_by_hand_puts_that_one_in_doubt_and_no_other()
    {
        await using var lease = await Node.GetLock(_name).AcquireAsync(Cancellation);
        await using var other = await Node.GetLock(_name + "-other").AcquireAsync(Cancellation);
        await using var byHand = await LockByHandAsync();
        await Eventually.IsTrueAsync(() => lease.State == LeaseState.InDoubt, Bound);

        var end = other.Remaining;
        await UseOthersAsync(whileTrue: () => other.Remaining <= end && lease.State == LeaseState.InDoubt);
        Assert.Equal(LeaseState.Held, other.State);

        await byHand.RollbackAsync(Cancellation);
        await Eventually.IsTrueAsync(() => lease.State == LeaseState.Held, Bound);
        AssertNoOutage();
    }

    /// <summary>It is told that it has ended, and the others of its node go on.</summary>
    [Fact]
    [Promise("G2")]
    public async Task A_lease_that_has_run_out_inside_its_transaction_holds_up_no_renewal()
    {
        var store = Node.Store;
        var (late, other) = (new LockOwner("late", 1), new LockOwner("other", 1));
        var token = (await AcquireAsync(_name, late)).FencingToken!.Value;
        await AcquireAsync(_name + "-other", other);
        var request = new GuardRequest { LockName = _name, Owner = late, FencingToken = token, LeaseDuration = TimeSpan.FromMinutes(1) };
        await using var transaction = await Users.BeginTransactionAsync(Cancellation);
        var fence = (ITransactionalFence)store;
        Assert.True(await fence.PrepareGuardAsync(request, Cancellation));
        Assert.True(await fence.GuardAsync(request, transaction, Cancellation));
        await _server.ExecuteAsync($"UPDATE {_server.Schema}.locks SET renewed_at = renewed_at - interval '1 hour', lasts_until = renewed_at WHERE name = '{_name}'");

        var begunAt = TimeProvider.System.GetTimestamp();
        var replies = await store.RenewAsync([Renewal(_name, late), Renewal(_name + "-other", other)], Cancellation);
        Assert.Equal([RenewalReply.NotHeld, RenewalReply.Renewed], replies);
        Assert.True(TimeProvider.System.GetElapsedTime(begunAt) < Soon);

        // Nobody else has it before the transaction has ended, and then at once.
        Assert.False((await AcquireAsync(_name, other)).IsGranted);
        await transaction.CommitAsync(Cancellation);
        await Eventually.IsTrueAsync(async () => (await AcquireAsync(_name, other)).IsGranted, Bound);

        Task<AcquireReply> AcquireAsync(string name, LockOwner owner) => store.AcquireAsync(
            new AcquireRequest { LockName = name, Owner = owner, Entry = 1, LeaseDuration = TimeSpan.FromMinutes(1), ClaimWindow = TimeSpan.FromSeconds(2) }, Cancellation);

        static RenewalRequest Renewal(string name, LockOwner owner) => new() { LockName = name, Owner = owner, LeaseDuration = TimeSpan.FromMinutes(1) };
    }

    private static bool IsOfBusyLock(Microsoft.Extensions.Logging.Testing.FakeLogRecord line) => line.Id.Id == 1018;

    private async Task<NpgsqlTransaction> LockByHandAsync()
    {
        var transaction = await Users.BeginTransactionAsync(Cancellation);
        await using var look = new NpgsqlCommand($"SELECT * FROM {_server.Schema}.locks WHERE name = '{_name}' FOR UPDATE", Users, transaction);
        Assert.NotNull(await look.ExecuteScalarAsync(Cancellation));
        return transaction;
    }

    /// <summary>Acquires and releases other locks, which takes no longer than ever.</summary>
    private async Task UseOthersAsync(Func<bool> whileTrue)
    {
        var (begunAt, turn) = (TimeProvider.System.GetTimestamp(), 0);
        do
        {
            var sentAt = TimeProvider.System.GetTimestamp();
            await (await Node.GetLock($"{_name}-{turn++ % 10}").AcquireAsync(Cancellation)).ReleaseAsync(Cancellation);
            var took = TimeProvider.System.GetElapsedTime(sentAt);
            Assert.True(took < Soon, $"Another lock took {took}.");
            Assert.True(TimeProvider.System.GetElapsedTime(begunAt) < Bound, "What was waited for did not come.");
        }
        while (whileTrue());
    }

    private void AssertNoOutage() => Assert.DoesNotContain(Node.Logs.GetSnapshot(), line => line.Id.Id is 1010 or 1011);
}
