using Coordination.Quartz.Tests.Jobs;
using Coordination.Quartz.Tests.Schedulers;
using Coordination.Testing;
using Quartz;

namespace Coordination.Quartz.Tests.Runs;

/// <summary>A lock that something keeps busy in the store, as a session that locks its row does. The store is there, and the lock may well be somebody's.</summary>
[Promise("G1", "G12")]
[Failure("F81")]
public sealed class BusyLockTests : NodesTest
{
    private readonly ControllableLockStore _inner = new();
    private readonly SteeredStore _store;
    private volatile bool _isBusy;
    private int _asked;

    public BusyLockTests() => _store = new SteeredStore(_inner) { BeforeAcquire = AskAsync, BeforeLook = AskAsync };

    [Fact]
    public async Task A_fire_whose_lock_is_busy_waits_for_it_and_does_not_run_anyway()
    {
        var node = await StartAsync(JobConflictAction.Wait, TimeSpan.FromHours(1));
        _isBusy = true;
        await node.Quartz.TriggerJob(Job, Cancellation);
        await UntilAsync(() => Volatile.Read(ref _asked) > 8 || node.Verdicts.All.Count > 0, "it asks again");
        Assert.Empty(Ledger.Runs);
        _isBusy = false;
        await UntilAsync(() => node.Verdicts.All.Count == 1, "the fire is over");
        Assert.NotNull(Assert.Single(Ledger.Runs).Token);
        Assert.DoesNotContain(node.Log, record => record.Id.Id is 1308 or 1010);
    }

    [Fact]
    public async Task A_fire_that_waits_and_whose_lock_gets_busy_does_not_run_anyway()
    {
        var node = await StartAsync(JobConflictAction.Wait, TimeSpan.FromHours(1));
        _inner.GrantTo("tests/QuartzScheduler/DEFAULT/staged", "bob", TimeSpan.FromSeconds(4));
        await node.Quartz.TriggerJob(Job, Cancellation);
        await UntilAsync(async () => (await _inner.InspectAsync("tests/QuartzScheduler/DEFAULT/staged", 10, Cancellation)).Waiters.Count == 1, "the fire waits");
        var before = Volatile.Read(ref _asked);
        _isBusy = true;
        await UntilAsync(() => Volatile.Read(ref _asked) > before + 8 || node.Verdicts.All.Count > 0, "it looks, and asks");
        Assert.Empty(Ledger.Runs);
        _isBusy = false;
        await UntilAsync(() => node.Verdicts.All.Count == 1, "the fire is over");
        Assert.NotNull(Assert.Single(Ledger.Runs).Token);
    }

    [Theory]
    [InlineData(JobConflictAction.Skip)]
    [InlineData(JobConflictAction.Wait)]
    public async Task A_fire_whose_lock_stays_busy_is_skipped_as_one_whose_lock_is_held(JobConflictAction onConflict)
    {
        var node = await StartAsync(onConflict, onConflict == JobConflictAction.Wait ? TimeSpan.FromMilliseconds(100) : null);
        _isBusy = true;
        await node.Quartz.TriggerJob(Job, Cancellation);
        await UntilAsync(() => node.Verdicts.All.Count == 1, "the fire is over");
        Assert.True(node.Verdicts.All[0].IsSkipped);
        Assert.Empty(Ledger.Runs);
        Assert.DoesNotContain(node.Log, record => record.Id.Id is 1308 or 1010);
    }

    private Task<TestScheduler> StartAsync(JobConflictAction onConflict, TimeSpan? maxWait) => StartAsync(
        _store,
        "ada",
        schedule: null,
        options => options.ForJob<StagedJob>(job => (job.OnConflict, job.MaxWait, job.OnStoreUnavailable) = (onConflict, maxWait, JobOutageAction.RunAnyway)));

    private Task AskAsync()
    {
        Interlocked.Increment(ref _asked);
        return _isBusy ? Task.FromException(new LockStoreException("Something else works on it.", isTransient: true) { MayBeApplied = false, IsLockBusy = true }) : Task.CompletedTask;
    }
}
