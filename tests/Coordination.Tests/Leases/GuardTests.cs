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
        Assert.Equal((LeaseState.Lost, LeaseLossReason.NotOwner), (lease.State, lease.LossReason));
    }

    /// <summary>The store makes sure that it cannot commit where another has the lock, also when the exception is caught.</summary>
    [Fact]
    [Promise("G1")]
    public async Task The_store_hears_of_a_transaction_of_a_lease_that_is_lost_already()
    {
        await using var node = new TestNode(_clock, actualStore: _store);
        var lease = await node.AcquireAsync();
        await lease.GuardAsync(_transaction, Token);
        _store.IsAway = true;
        node.Advance(TimeSpan.FromSeconds(15));
        Assert.Equal(LeaseState.Lost, lease.State);
        await Assert.ThrowsAsync<LeaseLostException>(() => lease.GuardAsync(_transaction, Token));
        Assert.Equal(2, _store.Guarded);
    }

    [Fact]
    public async Task A_lease_that_was_released_guards_nothing()
    {
        await using var node = new TestNode(_clock, actualStore: _store);
        var lease = await node.AcquireAsync();
        await lease.ReleaseAsync(Token);
        await Assert.ThrowsAsync<InvalidOperationException>(() => lease.GuardAsync(_transaction, Token));
        Assert.Equal(0, _store.Prepared);
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

        public GuardRequest? Last { get; private set; }

        public bool Stands { get; set; } = true;

        public bool IsAway
        {
            get => _isAway;
            set => _isAway = value;
        }

        public override Task<IReadOnlyList<RenewalReply>> RenewAsync(IReadOnlyList<RenewalRequest> requests, CancellationToken cancellationToken) =>
            IsAway ? throw new LockStoreException("Away.", isTransient: true) : base.RenewAsync(requests, cancellationToken);

        public override Task<bool> PrepareGuardAsync(GuardRequest request, CancellationToken cancellationToken)
        {
            Prepared++;
            return Task.FromResult(Stands);
        }

        public override Task<bool> GuardAsync(GuardRequest request, DbTransaction transaction, CancellationToken cancellationToken)
        {
            (Guarded, Last) = (Guarded + 1, request);
            return Task.FromResult(Stands);
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
