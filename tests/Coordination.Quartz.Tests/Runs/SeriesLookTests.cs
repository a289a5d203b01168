using Coordination.Occurrences;
using Coordination.Quartz.Execution;
using Coordination.Quartz.Policies;
using Coordination.Stores;
using Coordination.Stores.InMemory;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Quartz.Tests.Runs;

/// <summary>Whether the run that holds a lock is of a series, by what the store remembers.</summary>
[Failure("F75")]
[Promise("G11")]
public sealed class SeriesLookTests : IAsyncLifetime
{
    private const string LockName = "report";

    private readonly InMemoryLockStore _store = new();
    private readonly DateTimeOffset _then = DateTimeOffset.UtcNow.AddHours(-1);
    private ServiceProvider? _services;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        var services = new ServiceCollection();
        services.AddLogging().AddCoordination().UseInMemory(_store);
        _services = services.BuildServiceProvider();
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync() => _services!.DisposeAsync();

    [Theory]
    [InlineData("never run", false)]
    [InlineData("held", true)]
    [InlineData("held by a run of an older version", true)]
    [InlineData("over", false)]
    [InlineData("died on another node", false)]
    [InlineData("undone", false)]
    public async Task A_holder_is_of_a_series_where_it_has_not_ended_the_last_run_of_it(string last, bool isOfSeries)
    {
        var fire = Fire(_then, last == "held by a run of an older version" ? "bob" : RunName.Of(last == "died on another node" ? "dead" : "bob", "scheduler", "1", _then));
        if (last != "never run")
        {
            Assert.True((await AcquireAsync("bob", 1, fire)).IsGranted);
        }

        if (last is "over" or "undone" or "died on another node")
        {
            // One that died is not over, and the lock is free all the same.
            var release = new ReleaseRequest { LockName = LockName, Owner = new LockOwner("bob", 1), Entry = 1, ClaimWindow = TimeSpan.FromSeconds(1) };
            await _store.ReleaseAsync(release with { Occurrence = last == "died on another node" ? null : fire, OccurrenceIsFinished = last == "over" }, Cancellation);
        }

        if (last is not ("held" or "held by a run of an older version"))
        {
            Assert.True((await AcquireAsync("bob", 2, null)).IsGranted);
        }

        Assert.Equal(isOfSeries, await LookAsync((await _store.GetHolderAsync(LockName, Cancellation))!));
    }

    /// <summary>The lock became free in the moment of the look.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_look_that_meets_a_free_lock_leaves_it_free_and_begins_nothing(bool wasBegun)
    {
        var fire = Fire(_then, RunName.Of("bob", "scheduler", "1", _then));
        Assert.True((await AcquireAsync("bob", 1, wasBegun ? fire : null)).IsGranted);
        var holder = (await _store.GetHolderAsync(LockName, Cancellation))!;
        Assert.True(await _store.RevokeAsync(LockName, holder.FencingToken, TimeSpan.FromSeconds(1), Cancellation));
        Assert.False(await LookAsync(holder));

        Assert.Null(await _store.GetHolderAsync(LockName, Cancellation));
        Assert.Equal(
            wasBegun ? OccurrenceStatus.AlreadyRun : OccurrenceStatus.Started,
            (await AcquireAsync("cy", 1, Fire(_then, "cy"))).OccurrenceStatus);
    }

    /// <summary>All permits are taken, and the store names one of those who have them.</summary>
    [Theory]
    [InlineData("beside", true)]
    [InlineData("over", false)]
    [InlineData("died", false)]
    public async Task One_of_several_holders_is_of_a_series_where_it_has_the_last_run_of_it(string last, bool isOfSeries)
    {
        var (share, fire) = (LockShare.PermitOf(2), Fire(_then, RunName.Of("bob", "scheduler", "1", _then)));
        Assert.True((await AcquireAsync("cy", 1, null, share)).IsGranted);
        Assert.True((await AcquireAsync("bob", 1, fire, share)).IsGranted);
        if (last != "beside")
        {
            var release = new ReleaseRequest { LockName = LockName, Owner = new LockOwner("bob", 1), Entry = 1, ClaimWindow = TimeSpan.FromSeconds(1), Share = share };
            await _store.ReleaseAsync(release with { Occurrence = last == "over" ? fire : null, OccurrenceIsFinished = true }, Cancellation);
            Assert.True((await AcquireAsync("di", 1, null, share)).IsGranted);
        }

        Assert.Equal("cy", (await _store.GetHolderAsync(LockName, Cancellation))!.Owner.NodeId);
        Assert.Equal(isOfSeries, await LookAsync((await _store.GetHolderAsync(LockName, Cancellation))!, share));
        Assert.Equal(2, (await _store.InspectAsync(LockName, 1, Cancellation)).Holders.Count);
    }

    /// <summary>It says nothing of whether the earlier one is run.</summary>
    [Fact]
    public async Task A_holder_that_runs_a_later_occurrence_of_the_series_is_no_reason_to_skip()
    {
        var (share, fire) = (LockShare.PermitOf(1), Fire(_then.AddHours(2), RunName.Of("bob", "scheduler", "1", _then.AddHours(2))));
        Assert.True((await AcquireAsync("bob", 1, fire, share)).IsGranted);
        var holder = (await _store.GetHolderAsync(LockName, Cancellation))!;
        Assert.False(await LookAsync(holder, share));
        Assert.Equal(holder.FencingToken, (await _store.GetHolderAsync(LockName, Cancellation))!.FencingToken);
    }

    /// <summary>A node that stands by for it asks now and then, and has no place in the queue before the look.</summary>
    [Theory]
    [InlineData(JobCrashAction.Recover, OccurrenceStatus.Recovering)]
    [InlineData(JobCrashAction.Skip, OccurrenceStatus.AlreadyRun)]
    public async Task A_look_that_meets_a_free_permit_leaves_a_run_that_was_cut_short_to_be_recovered(JobCrashAction onCrash, OccurrenceStatus found)
    {
        var (share, fire) = (LockShare.PermitOf(2), Fire(_then, RunName.Of("bob", "scheduler", "1", _then)));
        Assert.True((await AcquireAsync("bob", 1, fire, share)).IsGranted);
        var holder = (await _store.GetHolderAsync(LockName, Cancellation))!;
        Assert.True(await _store.RevokeAsync(LockName, holder.FencingToken, TimeSpan.FromSeconds(1), Cancellation));
        Assert.False(await LookAsync(holder, share, onCrash));
        Assert.Null(await _store.GetHolderAsync(LockName, Cancellation));
        Assert.Equal(found, (await AcquireAsync("cy", 1, fire with { Run = "cy", Recover = true }, share)).OccurrenceStatus);
    }

    private static Occurrence Fire(DateTimeOffset time, string run) => new() { Series = "series", Time = time, Run = run, RememberFor = TimeSpan.FromDays(1) };

    private Task<bool> LookAsync(LockHolder holder, LockShare? share = null, JobCrashAction onCrash = JobCrashAction.Skip) => new SeriesLook(_services!.GetRequiredService<OccurrenceLocks>()).IsOfSeriesAsync(
        new ExclusivePolicy(LockName, share, new LockOptions { LockAtLeastFor = TimeSpan.FromHours(1) }, null, null, OncePerFireTime: true, onCrash, null, null), Fire(_then.AddHours(1), "ada"), holder, Cancellation);

    private Task<AcquireReply> AcquireAsync(string node, long sequence, Occurrence? occurrence, LockShare? share = null) => _store.AcquireAsync(
        new AcquireRequest
        {
            LockName = LockName,
            Owner = new LockOwner(node, sequence),
            Entry = 1,
            LeaseDuration = TimeSpan.FromMinutes(1),
            ClaimWindow = TimeSpan.FromSeconds(1),
            Share = share,
            Occurrence = occurrence,
        },
        Cancellation);
}
