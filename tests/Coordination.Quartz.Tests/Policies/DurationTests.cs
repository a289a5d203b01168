using System.Globalization;
using Coordination.Quartz.Tests.Jobs;
using Coordination.Quartz.Tests.Schedulers;
using Coordination.Stores.InMemory;
using Coordination.TestKit.Durations;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Quartz;

namespace Coordination.Quartz.Tests.Policies;

/// <summary>Every duration that can be set for a job, in each way, with every value that somebody may set it to.</summary>
public sealed class DurationTests
{
    private const string LockName = "work";
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(1);
    private static readonly JobKey Job = new("staged");

    private readonly InMemoryLockStore _store = new();
    private readonly Ledger _ledger = new();
    private readonly Verdicts _verdicts = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string, TimeSpan> OfJobs => DurationValues.Of(typeof(ExclusiveJobOptions));

    public static TheoryData<string, TimeSpan> OfSchedulers => DurationValues.Of(typeof(QuartzExclusivityOptions));

    [Fact]
    [Failure("F41")]
    public void Every_place_that_takes_a_duration_is_tried_here() => Assert.Equal(
        DurationPlaces.OptionsOf(typeof(ExclusiveJobOptions)).Select(property => $"{nameof(ExclusiveJobOptions)}.{property.Name}")
            .Concat(DurationPlaces.OptionsOf(typeof(QuartzExclusivityOptions)).Select(property => $"{nameof(QuartzExclusivityOptions)}.{property.Name}"))
            .Concat(DurationPlaces.OptionsOf(typeof(ExclusiveJobOptions)).Select(property => $"{nameof(ExclusiveJobAttribute)}.{property.Name}Seconds"))
            .Order(StringComparer.Ordinal),
        DurationPlaces.Of(typeof(QuartzExclusivityOptions).Assembly));

    [Theory]
    [Failure("F41")]
    [MemberData(nameof(OfSchedulers))]
    public Task A_schedulers_duration_works_or_stops_the_start_and_is_named(string name, TimeSpan value) =>
        TryAsync(name, value, o => DurationValues.Set(o, name, value), runs: true);

    [Theory]
    [Failure("F41")]
    [MemberData(nameof(OfJobs))]
    public Task A_jobs_duration_works_or_stops_the_start_and_is_named(string name, TimeSpan value) =>
        TryAsync(name, value, o => DurationValues.Set(o.Defaults, name, value), Runs(name, value));

    [Theory]
    [Failure("F41")]
    [MemberData(nameof(OfJobs))]
    public Task A_duration_in_a_jobs_data_works_or_stops_the_start_and_is_named(string name, TimeSpan value) =>
        TryAsync(name, value, _ => { }, Runs(name, value), jobData: DataOf(name, value));

    [Theory]
    [Failure("F41")]
    [MemberData(nameof(OfJobs))]
    public Task A_duration_in_a_triggers_data_works_or_fails_the_fire_and_is_named(string name, TimeSpan value) =>
        TryAsync(name, value, _ => { }, Runs(name, value), triggerData: DataOf(name, value));

    [Theory]
    [Failure("F41")]
    [MemberData(nameof(OfJobs))]
    public void The_attribute_has_each_duration_in_seconds(string name, TimeSpan value)
    {
        var attribute = new DisallowConcurrentAcrossClusterAttribute();
        typeof(DisallowConcurrentAcrossClusterAttribute).GetProperty(name + "Seconds")!.SetValue(attribute, value.TotalSeconds);
        Assert.Equal(value, typeof(ExclusiveJobOptions).GetProperty(name)!.GetValue(attribute.ToOptions()));
    }

    /// <summary>Whether a fire runs that meets a lock which is held for a moment.</summary>
    private static bool Runs(string name, TimeSpan value) => name != nameof(ExclusiveJobOptions.MaxWait) || value > Short;

    private static JobDataMap DataOf(string name, TimeSpan value) =>
        new() { [(string)typeof(ExclusiveJobData).GetField(name)!.GetValue(null)!] = value.ToString("c", CultureInfo.InvariantCulture) };

    private async Task TryAsync(string name, TimeSpan value, Action<QuartzExclusivityOptions> configure, bool runs, JobDataMap? jobData = null, JobDataMap? triggerData = null)
    {
        using var host = Build(
            o =>
            {
                (o.Defaults.Name, o.Defaults.OnConflict) = (LockName, JobConflictAction.Wait);
                configure(o);
            },
            jobData ?? []);
        try
        {
            await host.StartAsync(Cancellation).WaitAsync(Bound, Cancellation);
        }
        catch (Exception error) when (error is OptionsValidationException or ArgumentException && triggerData is null)
        {
            DurationValues.AssertRefused(name, value, error.Message);
            return;
        }

        // The job meets a lock that is held, so that it waits; and it runs, where it waits for long enough.
        _store.Assign(LockName, new LockOwner("ada", 1), runs ? TimeSpan.FromMilliseconds(200) : TimeSpan.FromHours(1));
        var scheduler = await host.Services.GetRequiredService<ISchedulerFactory>().GetScheduler(Cancellation);
        await scheduler.TriggerJob(Job, triggerData ?? [], Cancellation);
        await Eventually.IsTrueAsync(() => _verdicts.All.Count == 1, Bound, "the fire is over");
        if (_verdicts.All[0].Failure is { } refusal)
        {
            Assert.NotNull(triggerData);
            DurationValues.AssertRefused(name, value, refusal.ToString());
        }
        else
        {
            Assert.Equal(runs ? 1 : 0, _ledger.Runs.Count);
        }

        await host.StopAsync(Cancellation).WaitAsync(Bound, Cancellation);
    }

    private IHost Build(Action<QuartzExclusivityOptions> configure, JobDataMap jobData)
    {
        var builder = TestScheduler.CreateBuilder(_ledger, "node");
        builder.Services.AddCoordination().UseInMemory(_store).AddQuartzExclusivity(configure);
        builder.Services.AddQuartz(quartz => quartz
            .AddJobListener(_verdicts)
            .AddJob<StagedJob>(job => job.WithIdentity(Job).StoreDurably().UsingJobData(jobData)));
        builder.Services.AddQuartzHostedService(o => (o.WaitForJobsToComplete, o.AwaitApplicationStarted) = (true, false));
        return builder.Build();
    }
}
