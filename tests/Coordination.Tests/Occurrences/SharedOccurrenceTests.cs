using Coordination.Leases;
using Coordination.Occurrences;
using Coordination.Stores;
using Coordination.Tests.Leases;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Tests.Occurrences;

/// <summary>Scheduled times that are run at most once, under a lock that several may hold.</summary>
public sealed class SharedOccurrenceTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(10);
    private static readonly LockShare OneOfTwo = LockShare.PermitOf(2);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Promise("G11")]
    public async Task A_run_under_way_is_not_recovered_though_there_is_room_and_says_who_has_it()
    {
        await using var node = new TestNode();
        var run = await Locks(node).TryAcquireAsync("work", OneOfTwo, null, At(0, "one"), Token);
        Assert.Equal((OccurrenceStatus.Started, 0), (run.Status, run.Lease?.Permit));
        var other = await Locks(node).TryAcquireAsync("work", OneOfTwo, null, At(0, "two", recover: true), Token);
        Assert.Equal((null, OccurrenceStatus.Running, "one", run.Lease!.Owner), (other.Lease, other.Status, other.Run, other.Holder?.Owner));
        Assert.Equal(OccurrenceStatus.AlreadyRun, (await Locks(node).TryAcquireAsync("work", OneOfTwo, null, At(0, "two"), Token)).Status);

        await Locks(node).ReleaseUnfinishedAsync(run.Lease);
        other = await Locks(node).TryAcquireAsync("work", OneOfTwo, null, At(0, "two", recover: true), Token);
        Assert.Equal((OccurrenceStatus.Recovering, "one"), (other.Status, other.Run));
        Assert.Equal(ReleaseResult.Released, await other.Lease!.ReleaseAsync(Token));
        Assert.Equal(OccurrenceStatus.AlreadyRun, (await Locks(node).TryAcquireAsync("work", OneOfTwo, null, At(0, "three", recover: true), Token)).Status);
    }

    [Theory]
    [Promise("G11")]
    [InlineData(false, OccurrenceStatus.AlreadyRun)]
    [InlineData(true, OccurrenceStatus.Running)]
    public async Task Who_waited_for_room_gives_it_back_where_the_run_is_under_way(bool recover, OccurrenceStatus status)
    {
        await using var node = new TestNode();
        var run = await Locks(node).TryAcquireAsync("work", OneOfTwo, null, At(0, "one"), Token);
        var beside = await node.Provider.GetSemaphore("work", 2).AcquireAsync(Token);
        Task<OccurrenceAttempt> waiting = null!;
        await node.UntilAsleepAsync(() => waiting = Locks(node).AcquireAsync("work", OneOfTwo, null, At(0, "two", recover), Timeout.InfiniteTimeSpan, Token));
        await beside.DisposeAsync();
        var attempt = await waiting.WaitAsync(Bound, Token);
        Assert.Equal((null, status, "one"), (attempt.Lease, attempt.Status, attempt.Run));
        Assert.Equal(run.Lease!.FencingToken, Assert.Single((await node.Store.InspectAsync("work", 0, Token)).Holders).FencingToken);

        // And it did not end what it found.
        Assert.Equal(OccurrenceStatus.Running, (await Locks(node).TryAcquireAsync("work", OneOfTwo, null, At(0, "three", recover: true), Token)).Status);
    }

    [Fact]
    [Promise("G11")]
    public async Task Who_waited_for_room_has_it_for_the_next_occurrence_beside_a_run()
    {
        await using var node = new TestNode();
        var run = await Locks(node).TryAcquireAsync("work", OneOfTwo, null, At(0, "one"), Token);
        var next = await Locks(node).AcquireAsync("work", OneOfTwo, null, At(1, "two"), Bound, Token);
        Assert.Equal((OccurrenceStatus.Started, 1), (next.Status, next.Lease?.Permit));
        await Locks(node).UndoAsync(next.Lease!);
        Assert.Equal(OccurrenceStatus.Started, (await Locks(node).TryAcquireAsync("work", OneOfTwo, null, At(1, "three"), Token)).Status);
        Assert.Equal(LeaseState.Held, run.Lease!.State);
    }

    [Fact]
    public async Task A_lease_that_was_lost_to_another_use_of_its_name_is_not_confirmed()
    {
        await using var node = new TestNode();
        var lease = (LeaseHandle)await node.Provider.GetSemaphore("work", 2).AcquireAsync(Token);
        node.Store.LoseLock("work");
        node.Store.GrantTo("work", "stranger");
        var refused = await Assert.ThrowsAsync<LockStoreException>(() => Locks(node).ConfirmAsync(lease, At(0, "one"), Token));
        Assert.Equal(LockCapacity.Exclusive, refused.InUseAs);
        Assert.NotEqual(LeaseState.Held, lease.State);
    }

    [Fact]
    public async Task A_share_that_no_lock_has_is_refused()
    {
        await using var node = new TestNode();
        LockShare[] wrong =
        [
            new() { Kind = LockShareKind.Permit, Capacity = LockCapacity.ReaderWriter },
            new() { Kind = LockShareKind.Permit, Capacity = new() { Kind = LockCapacityKind.Semaphore, Permits = 10_001 } },
            new() { Kind = LockShareKind.Read, Capacity = LockCapacity.Exclusive },
            new() { Kind = LockShareKind.Upgrade, Capacity = LockCapacity.ReaderWriter },
            new() { Kind = (LockShareKind)17, Capacity = LockCapacity.ReaderWriter },
        ];
        foreach (var share in wrong)
        {
            await Assert.ThrowsAsync<ArgumentException>(() => Locks(node).TryAcquireAsync("work", share, null, null, Token));
            await Assert.ThrowsAsync<ArgumentException>(() => Locks(node).AcquireAsync("work", share, null, null, Bound, Token));
        }

        Assert.Equal(0, node.Store.Count);
    }

    private static OccurrenceLocks Locks(TestNode node) => node.Services.GetRequiredService<OccurrenceLocks>();

    private static Occurrence At(int second, string run, bool recover = false) => new()
    {
        Series = "job@trigger",
        Time = new DateTimeOffset(2026, 1, 2, 12, 0, second, TimeSpan.Zero),
        Run = run,
        Recover = recover,
        RememberFor = TimeSpan.FromDays(1),
    };
}
