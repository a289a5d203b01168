using System.Data;
using System.Data.Common;
using Coordination.Stores;
using Coordination.Stores.InMemory;
using Coordination.TestKit.Clocks;
using Coordination.TestKit.Stores;

namespace Coordination.Tests.Leases;

/// <summary>Transactions of users that are guarded by a lease, on a store that says what it was asked.</summary>
public sealed class GuardTests : IDisposable
{
    private readonly TestClock _clock = new();
    private readonly FencingStore _store;
    private readonly NoTransaction _transaction = new();

    public GuardTests() => _store = new FencingStore(_clock);

    public void Dispose() => _transaction.Dispose();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_lease_is_made_ready_once_and_guards_each_transaction()
    {
        await using var node = new TestNode(_clock, actualStore: _store);
        var lease = await node.AcquireAsync();
        await lease.GuardAsync(_transaction, Token);
        await lease.AsReadOnly().GuardAsync(_transaction, Token);
        Assert.Equal((1, 2), (_store.Prepared, _store.Guarded));
        Assert.Equal(new GuardRequest { LockName = "work", Owner = lease.Owner, FencingToken = lease.FencingToken, LeaseDuration = TimeSpan.FromSeconds(15) }, _store.Last);
    }

    [Theory]
    [Promise("G1")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_grant_that_the_store_finds_to_have_ended_is_a_loss(bool isReady)
    {
        await using var node = new TestNode(_clock, actualStore: _store);
        var lease = await node.AcquireAsync();
        if (isReady)
        {
            await lease.GuardAsync(_transaction, Token);
        }

        _store.Stands = false;
        await Assert.ThrowsAsync<LeaseLostException>(() => lease.GuardAsync(_transaction, Token));
        Assert.Equal((LeaseState.Lost, LeaseLossReason.NotOwner, 1), (lease.State, lease.LossReason, _store.Refused));
    }

    /// <summary>The store makes sure that it cannot commit, also when the exception is caught.</summary>
    [Theory]
    [Promise("G1")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_transaction_of_a_lease_that_is_lost_already_is_refused(bool isReady)
    {
        await using var node = new TestNode(_clock, actualStore: _store);
        var lease = await node.AcquireAsync();
        if (isReady)
        {
            await lease.GuardAsync(_transaction, Token);
        }

        Assert.Equal(0, _store.Refused);
        _store.IsAway = true;
        node.Advance(TimeSpan.FromSeconds(15));
        Assert.Equal(LeaseState.Lost, lease.State);
        await Assert.ThrowsAsync<LeaseLostException>(() => lease.GuardAsync(_transaction, Token));
        Assert.Equal(1, _store.Refused);
    }

    /// <summary>Whoever goes on all the same, with the exception caught, commits nothing.</summary>
    [Theory]
    [Promise("G1")]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task A_transaction_that_cannot_be_guarded_is_refused_whatever_failed(bool whilePreparing, bool isCancelled)
    {
        await using var node = new TestNode(_clock, actualStore: _store);
        var lease = await node.AcquireAsync();
        Exception failure = isCancelled ? new OperationCanceledException() : new LockStoreException("Away.", isTransient: true);
        (_store.FailPrepare, _store.FailGuard) = (whilePreparing ? failure : null, failure);
        var thrown = await Assert.ThrowsAnyAsync<Exception>(() => lease.GuardAsync(_transaction, Token));
        Assert.Same(failure, thrown);
        Assert.Equal((1, LeaseState.Held), (_store.Refused, lease.State));
    }

    /// <summary>Nothing is known of it, so nothing is done to it.</summary>
    [Fact]
    public async Task A_transaction_that_the_store_does_not_accept_is_left_alone()
    {
        await using var node = new TestNode(_clock, actualStore: _store);
        var lease = await node.AcquireAsync();
        _store.FailAccept = new ArgumentException("Of another kind.");
        await Assert.ThrowsAsync<ArgumentException>(() => lease.GuardAsync(_transaction, Token));
        Assert.Equal((0, 0, LeaseState.Held), (_store.Prepared, _store.Refused, lease.State));
    }

    [Fact]
    [Promise("G1")]
    public async Task A_transaction_whose_lease_is_released_while_it_is_made_ready_is_refused()
    {
        await using var node = new TestNode(_clock, actualStore: _store);
        var lease = await node.AcquireAsync();
        _store.WhilePreparing = () => lease.ReleaseAsync(Token);
        await Assert.ThrowsAsync<InvalidOperationException>(() => lease.GuardAsync(_transaction, Token));
        Assert.Equal((1, 0, 1), (_store.Prepared, _store.Guarded, _store.Refused));
    }

    [Fact]
    public async Task A_lease_that_was_released_guards_nothing()
    {
        await using var node = new TestNode(_clock, actualStore: _store);
        var lease = await node.AcquireAsync();
        await lease.ReleaseAsync(Token);
        await Assert.ThrowsAsync<InvalidOperationException>(() => lease.GuardAsync(_transaction, Token));
        Assert.Equal((0, 1), (_store.Prepared, _store.Refused));
    }

    [Fact]
    public async Task A_store_without_transactions_says_that_it_cannot_guard_any()
    {
        await using var node = new TestNode(_clock, actualStore: new InMemoryLockStore(_clock));
        var lease = await node.AcquireAsync();
        var refused = await Assert.ThrowsAsync<NotSupportedException>(() => lease.GuardAsync(_transaction, Token));
        Assert.Contains("'memory'", refused.Message, StringComparison.Ordinal);
        Assert.Equal(LeaseState.Held, lease.State);
    }

    private sealed class FencingStore(TimeProvider time) : DelegatingLockStore(new InMemoryLockStore(time))
    {
        private volatile bool _isAway;

        public int Prepared { get; private set; }

        public int Guarded { get; private set; }

        public int Refused { get; private set; }

        public GuardRequest? Last { get; private set; }

        public Exception? FailAccept { get; set; }

        public Exception? FailPrepare { get; set; }

        public Exception? FailGuard { get; set; }

        public Func<Task>? WhilePreparing { get; set; }

        public bool Stands { get; set; } = true;

        public bool IsAway
        {
            get => _isAway;
            set => _isAway = value;
        }

        public override Task<IReadOnlyList<RenewalReply>> RenewAsync(IReadOnlyList<RenewalRequest> requests, CancellationToken cancellationToken) =>
            IsAway ? throw new LockStoreException("Away.", isTransient: true) : base.RenewAsync(requests, cancellationToken);

        public override void Accept(DbTransaction transaction)
        {
            if (FailAccept is { } failure)
            {
                throw failure;
            }
        }

        public override Task RefuseAsync(DbTransaction transaction)
        {
            Refused++;
            return Task.CompletedTask;
        }

        public override async Task<bool> PrepareGuardAsync(GuardRequest request, CancellationToken cancellationToken)
        {
            Prepared++;
            await (WhilePreparing?.Invoke() ?? Task.CompletedTask);
            return FailPrepare is { } failure ? throw failure : Stands;
        }

        public override Task<bool> GuardAsync(GuardRequest request, DbTransaction transaction, CancellationToken cancellationToken)
        {
            (Guarded, Last) = (Guarded + 1, request);
            return FailGuard is { } failure ? Task.FromException<bool>(failure) : Task.FromResult(Stands);
        }
    }

    private sealed class NoTransaction : DbTransaction
    {
        public override IsolationLevel IsolationLevel => IsolationLevel.ReadCommitted;

        protected override DbConnection? DbConnection => null;

        public override void Commit()
        {
            // Nothing was done in it.
        }

        public override void Rollback()
        {
            // Nothing was done in it.
        }
    }
}
