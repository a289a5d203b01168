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

    /// <summary>Each waits for those before it and then for who has the row, which the server limits one by one.</summary>
    [Fact]
    [Promise("G12")]
    public async Task All_who_wait_for_a_row_at_a_time_are_told_that_it_is_busy()
    {
        await (await Node.GetLock(_name).AcquireAsync(Cancellation)).ReleaseAsync(Cancellation);
        await using var byHand = await LockByHandAsync();
        for (var wave = 0; wave < 2; wave++)
        {
            var calls = Enumerable.Range(1, 4).Select(i => AcquireFromStoreAsync(_name, new LockOwner("node", i))).ToList();
            foreach (var call in calls)
            {
                var busy = await Assert.ThrowsAsync<LockStoreException>(() => call);
                Assert.True(busy.IsLockBusy, busy.ToString());
                Assert.False(busy.MayBeApplied);
            }
        }
    }

    /// <summary>The node has ten.</summary>
    [Fact]
    [Promise("G12")]
    public async Task More_rows_that_are_locked_by_hand_than_connections_hold_up_no_other_lock()
    {
        var names = Enumerable.Range(0, 200).Select(i => $"{_name}-row{i}").ToList();
        foreach (var name in names)
        {
            await (await Node.GetLock(name).AcquireAsync(Cancellation)).ReleaseAsync(Cancellation);
        }

        await using var byHand = await LockByHandAsync(_name + "-row%");
        var waiting = names.ConvertAll(name => Node.GetLock(name).AcquireAsync(Cancellation));
        var begunAt = TimeProvider.System.GetTimestamp();
        await UseOthersAsync(whileTrue: () => TimeProvider.System.GetElapsedTime(begunAt) < 2 * Soon);
        Assert.All(waiting, call => Assert.False(call.IsCompleted));

        await byHand.RollbackAsync(Cancellation);
        foreach (var call in waiting)
        {
            await (await call.WaitAsync(Bound, Cancellation)).DisposeAsync();
        }

        AssertNoOutage();
    }

    /// <summary>A lease so short that its calls are given up before a row is waited for as long as else.</summary>
    [Fact]
    [Promise("G12")]
    public async Task A_short_lease_on_a_row_that_is_locked_by_hand_holds_up_no_other()
    {
        // A row is waited for for a second and a half, and this lock's calls take a second at most.
        await using var node = new Node(_server.Use);
        var name = node.GetLock(_name, new LockOptions { LeaseDuration = TimeSpan.FromSeconds(3) });
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
        // Renewed often, and for so long that it is not lost meanwhile on a busy machine.
        await using var node = new Node(_server.Use, static options => (options.LeaseDuration, options.RenewalInterval) = (TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(2)));
        await using var lease = await node.GetLock(_name).AcquireAsync(Cancellation);
        await using var other = await node.GetLock(_name + "-other").AcquireAsync(Cancellation);
        await using var byHand = await LockByHandAsync();
        await Eventually.IsTrueAsync(() => lease.State == LeaseState.InDoubt, Bound);

        var end = other.Remaining;
        await UseOthersAsync(whileTrue: () => other.Remaining <= end && lease.State == LeaseState.InDoubt, node);
        Assert.Equal(LeaseState.Held, other.State);

        await byHand.RollbackAsync(Cancellation);
        await Eventually.IsTrueAsync(() => lease.State == LeaseState.Held, Bound);
        AssertNoOutage(node);
    }

    /// <summary>Whoever holds it may have nobody who waits for it, and is told why it is lost.</summary>
    [Fact]
    [Promise("G2")]
    public async Task The_holder_of_a_lease_is_told_that_its_row_is_locked_before_it_is_lost()
    {
        await using var node = new Node(_server.Use, static options => options.LeaseDuration = TimeSpan.FromSeconds(9));
        await using var lease = await node.GetLock(_name).AcquireAsync(Cancellation);
        await using var other = await node.GetLock(_name + "-other").AcquireAsync(Cancellation);
        await using var byHand = await LockByHandAsync();
        await Eventually.IsTrueAsync(() => node.Logs.GetSnapshot().Any(line => line.Id.Id == 1004), Bound);
        Assert.Equal(LeaseState.Lost, lease.State);
        await byHand.RollbackAsync(Cancellation);

        var lines = node.Logs.GetSnapshot().Select(line => (line.Id.Id, line.Message)).ToList();
        var lost = lines.FindIndex(line => line.Id == 1004);
        Assert.Contains(lines[..lost], line => line.Id == 1018 && line.Message.Contains($"'{_name}'", StringComparison.Ordinal));
        AssertNoOutage(node);
    }

    /// <summary>It is told that it has ended, and the others of its node go on.</summary>
    [Fact]
    [Promise("G2")]
    public async Task A_lease_that_has_run_out_inside_its_transaction_holds_up_no_renewal()
    {
        var store = Node.Store;
        var (late, other) = (new LockOwner("late", 1), new LockOwner("other", 1));
        var token = (await AcquireFromStoreAsync(_name, late)).FencingToken!.Value;
        await AcquireFromStoreAsync(_name + "-other", other);
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
        Assert.False((await AcquireFromStoreAsync(_name, other)).IsGranted);
        await transaction.CommitAsync(Cancellation);
        await Eventually.IsTrueAsync(async () => (await AcquireFromStoreAsync(_name, other)).IsGranted, Bound);

        static RenewalRequest Renewal(string name, LockOwner owner) => new() { LockName = name, Owner = owner, LeaseDuration = TimeSpan.FromMinutes(1) };
    }

    private static bool IsOfBusyLock(Microsoft.Extensions.Logging.Testing.FakeLogRecord line) => line.Id.Id == 1018;

    private Task<AcquireReply> AcquireFromStoreAsync(string name, LockOwner owner) => Node.Store.AcquireAsync(
        new AcquireRequest { LockName = name, Owner = owner, Entry = 1, LeaseDuration = TimeSpan.FromMinutes(1), ClaimWindow = TimeSpan.FromSeconds(2) }, Cancellation);

    private async Task<NpgsqlTransaction> LockByHandAsync(string? names = null)
    {
        var transaction = await Users.BeginTransactionAsync(Cancellation);
        await using var look = new NpgsqlCommand($"SELECT * FROM {_server.Schema}.locks WHERE name LIKE '{names ?? _name}' FOR UPDATE", Users, transaction);
        Assert.NotNull(await look.ExecuteScalarAsync(Cancellation));
        return transaction;
    }

    /// <summary>Acquires and releases other locks, which takes no longer than ever.</summary>
    private async Task UseOthersAsync(Func<bool> whileTrue, Node? node = null)
    {
        var (begunAt, turn) = (TimeProvider.System.GetTimestamp(), 0);
        do
        {
            var sentAt = TimeProvider.System.GetTimestamp();
            await (await (node ?? Node).GetLock($"{_name}-{turn++ % 10}").AcquireAsync(Cancellation)).ReleaseAsync(Cancellation);
            var took = TimeProvider.System.GetElapsedTime(sentAt);
            Assert.True(took < Soon, $"Another lock took {took}.");
            Assert.True(TimeProvider.System.GetElapsedTime(begunAt) < Bound, "What was waited for did not come.");
        }
        while (whileTrue());
    }

    private void AssertNoOutage(Node? node = null) => Assert.DoesNotContain((node ?? Node).Logs.GetSnapshot(), line => line.Id.Id is 1010 or 1011);
}
