using Coordination.Leases;
using Coordination.Stores;
using Coordination.Stores.InMemory;
using Coordination.TestKit.Clocks;
using Coordination.TestKit.Stores;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Tests.Leases;

[Failure("F40")]
public sealed class PendingUndosTests
{
    [Fact]
    public void One_more_than_the_bound_drops_what_lapses_soonest_and_counts_it()
    {
        var undos = new PendingUndos(capacity: 2);
        var (day, minute) = (undos.Add(TimeSpan.FromDays(1)), undos.Add(TimeSpan.FromMinutes(1)));
        Assert.Equal(0, undos.Dropped);
        var hour = undos.Add(TimeSpan.FromHours(1));
        Assert.True(minute.Dropped.IsCancellationRequested);
        Assert.False(day.Dropped.IsCancellationRequested || hour.Dropped.IsCancellationRequested);
        Assert.Equal(1, undos.Dropped);

        // Also itself, where it does.
        Assert.True(undos.Add(TimeSpan.FromSeconds(1)).Dropped.IsCancellationRequested);
        Assert.False(day.Dropped.IsCancellationRequested || hour.Dropped.IsCancellationRequested);
        Assert.Equal(2, undos.Dropped);

        // It has ended by itself, or is gone already: there is room for one, and not for two.
        undos.Remove(minute);
        undos.Remove(hour);
        undos.Remove(hour);
        undos.Add(TimeSpan.FromHours(1));
        Assert.Equal(2, undos.Dropped);
        undos.Add(TimeSpan.FromHours(1));
        Assert.Equal(3, undos.Dropped);
    }

    [Fact]
    public async Task What_is_to_be_undone_while_the_store_is_away_has_a_bound_and_is_undone_later()
    {
        const int Undos = 1_500;
        var clock = new TestClock();
        var store = new StoreWithLateReplies(new InMemoryLockStore(clock));
        await using var node = new TestNode(clock, actualStore: store);
        var keeper = node.Services.GetRequiredService<LeaseKeeper>();
        var owner = node.Provider.CreateOwner();
        store.IsAway = true;
        var undoing = Enumerable.Range(0, Undos).Select(i => keeper.UndoAsync(Requests.Acquire("work" + i, owner, TimeSpan.FromMinutes(1), claimWindow: TimeSpan.FromSeconds(1)))).ToList();

        // The oldest are dropped at once, and the rest waits.
        Assert.True(SpinWait.SpinUntil(() => undoing.Count(undo => undo.IsCompleted) >= Undos - 1_000, TimeSpan.FromMinutes(1)));
        Assert.Equal(Undos - 1_000, undoing.Count(undo => undo.IsCompleted));
        Assert.All(undoing[..(Undos - 1_000 - 1)], undo => Assert.True(undo.IsCompletedSuccessfully));
        Assert.Contains(node.Logs.GetSnapshot(), line => line.Id.Id == 1008);

        store.IsAway = false;
        Assert.True(node.AdvanceUntil(() => undoing.TrueForAll(undo => undo.IsCompletedSuccessfully), TimeSpan.FromSeconds(2)));
        Assert.Equal(1_000, store.Released);
    }

    private sealed class StoreWithLateReplies(ILockStore inner) : DelegatingLockStore(inner)
    {
        private int _released;

        public volatile bool IsAway;

        public int Released => Volatile.Read(ref _released);

        public override async Task<ReleaseReply> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken)
        {
            if (IsAway)
            {
                throw new LockStoreException("Away.", isTransient: true);
            }

            Interlocked.Increment(ref _released);
            return await base.ReleaseAsync(request, cancellationToken);
        }
    }
}
