using Coordination.Hosting.Tests.Nodes;
using Coordination.Stores.InMemory;
using Coordination.TestKit.Durations;
using Coordination.TestKit.Nodes;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Coordination.Hosting.Tests.DependencyInjection;

/// <summary>Every duration that can be set for a service, with every value that somebody may set it to. In real time, because overflows are the timers'.</summary>
public sealed class DurationTests
{
    private const int OverdueLine = 1205;
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(1);

    /// <summary>What may still be waited for here.</summary>
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(1);

    private readonly InMemoryLockStore _store = new();
    private readonly Work _work = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string, TimeSpan> OfServices => DurationValues.Of(typeof(ExclusiveServiceOptions));

    public static TheoryData<string, TimeSpan> OfPeriodicServices => DurationValues.Of(typeof(ExclusivePeriodicOptions));

    public static TheoryData<string, TimeSpan> OfWorkThatIsRunOnce => DurationValues.Of(typeof(RunOnceOptions));

    public static TheoryData<string, TimeSpan> OfPartitionedServices => DurationValues.Of(typeof(PartitionedServiceOptions));

    public static TheoryData<string, TimeSpan> OfLocks => DurationValues.Of(typeof(LockOptions));

    public static TheoryData<TimeSpan> Each => DurationValues.Each;

    public static TheoryData<string, TimeSpan> OfChecks => DurationValues.Of(TimeLimits);

    private static IEnumerable<string> TimeLimits =>
    [
        "AddCoordinationHealthCheck(storeTimeLimit)",
        "AddCoordinationHealthCheck(timeout)",
        "AddCoordinationLeaderCheck(timeout)",
        "AddCoordinationReadyCheck(storeTimeLimit)",
        "AddCoordinationReadyCheck(timeout)",
    ];

    [Fact]
    [Failure("F41")]
    public void Every_place_that_takes_a_duration_is_tried_here() => Assert.Equal(
        [
            .. TimeLimits.Select(place => $"{nameof(CoordinationHealthChecksBuilderExtensions)}.{place}"),
            .. DurationPlaces.OptionsOf(typeof(ExclusivePeriodicOptions)).Select(property => $"{nameof(ExclusivePeriodicOptions)}.{property.Name}").Order(StringComparer.Ordinal),
            .. DurationPlaces.OptionsOf(typeof(ExclusiveServiceOptions)).Select(property => $"{nameof(ExclusiveServiceOptions)}.{property.Name}").Order(StringComparer.Ordinal),
            "ExclusiveTerm.StepDown(stayAway)",
            "ILeadership.StepDownAsync(stayAway)",
            .. DurationPlaces.OptionsOf(typeof(PartitionedServiceOptions)).Select(property => $"{nameof(PartitionedServiceOptions)}.{property.Name}").Order(StringComparer.Ordinal),
            .. DurationPlaces.OptionsOf(typeof(RunOnceOptions)).Select(property => $"{nameof(RunOnceOptions)}.{property.Name}").Order(StringComparer.Ordinal),
        ],
        DurationPlaces.Of(typeof(ExclusiveBackgroundService).Assembly, except: typeof(EndedTerm)));

    [Theory]
    [Failure("F41", "F51")]
    [MemberData(nameof(OfServices))]
    public async Task A_duration_of_a_service_works_to_the_stop_or_is_named_when_it_stops_the_start(string name, TimeSpan value)
    {
        var options = new ExclusiveServiceOptions();
        using var host = Build(o =>
        {
            // Short, for the others not to be waited for.
            (o.OverdueAfter, o.OverdueWarningInterval) = (TimeSpan.Zero, TimeSpan.FromMilliseconds(100));
            (o.MinRestartDelay, o.CompletionPause) = (TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(10));
            DurationValues.Set(o, name, value);
            options = o;
        });
        var lost = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _work.Do = async (_, stoppingToken) =>
        {
            _work.Do = (_, _) => Task.CompletedTask;
            using var told = stoppingToken.Register(() => lost.TrySetResult());
            await lost.Task;
            var warnings = options.OverdueAfter > Short ? 0 : options.OverdueWarningInterval > Short ? 1 : 3;
            await Eventually.IsTrueAsync(() => Overdue(host) >= warnings, Bound, $"{warnings} warnings");
            throw new InvalidOperationException("The work failed.");
        };
        if (!await StartsAsync(host, name, value))
        {
            return;
        }

        await Eventually.IsTrueAsync(() => _work.Terms >= 1, Bound, "the node leads");
        _store.Delete(WorkingService.LockName);
        await lost.Task.WaitAsync(Bound, Cancellation);
        await Eventually.IsTrueAsync(() => !_work.IsRunning, Bound, "the work ends");
        if (options.MinRestartDelay <= Short)
        {
            await Eventually.IsTrueAsync(() => _work.Terms > 1, Bound, "the node leads again");
        }

        await StopsAsync(host);
        Assert.Null(await _store.GetHolderAsync(WorkingService.LockName, Cancellation));
        Assert.True(Overdue(host) < 100, $"{Overdue(host)} warnings of overdue work");
    }

    [Theory]
    [Failure("F41")]
    [MemberData(nameof(OfLocks))]
    public async Task A_duration_of_a_services_lock_works_or_stops_the_start_and_is_named(string name, TimeSpan value)
    {
        var options = new LockOptions();
        DurationValues.Set(options, name, value);
        using var host = Build(o => o.LockOptions = options);
        if (!await StartsAsync(host, name, value))
        {
            return;
        }

        await Eventually.IsTrueAsync(() => _work.Terms > 0, Bound, "the node leads");
        await StopsAsync(host);

        // Where it is to be locked for longer it is, and by nobody: it is not there to be renewed.
        var holder = await _store.GetHolderAsync(WorkingService.LockName, Cancellation);
        Assert.Equal(options.LockAtLeastFor > Short, holder is not null);
    }

    [Theory]
    [Failure("F41")]
    [MemberData(nameof(OfChecks))]
    public async Task A_time_limit_of_a_health_check_works_or_is_refused(string place, TimeSpan value)
    {
        using var host = Build(_ => { }, services =>
        {
            var checks = services.AddHealthChecks();
            try
            {
                _ = place switch
                {
                    "AddCoordinationHealthCheck(storeTimeLimit)" => checks.AddCoordinationHealthCheck(storeTimeLimit: value)
                        .AddCoordinationHealthCheck<WorkingService>(storeTimeLimit: value).AddCoordinationHealthCheck("by name", WorkingService.LockName, storeTimeLimit: value),
                    "AddCoordinationHealthCheck(timeout)" => checks.AddCoordinationHealthCheck(timeout: value)
                        .AddCoordinationHealthCheck<WorkingService>(timeout: value).AddCoordinationHealthCheck("by name", WorkingService.LockName, timeout: value),
                    "AddCoordinationLeaderCheck(timeout)" => checks.AddCoordinationLeaderCheck<WorkingService>(timeout: value).AddCoordinationLeaderCheck("by name", WorkingService.LockName, timeout: value),
                    "AddCoordinationReadyCheck(storeTimeLimit)" => checks.AddCoordinationReadyCheck(storeTimeLimit: value),
                    "AddCoordinationReadyCheck(timeout)" => checks.AddCoordinationReadyCheck(timeout: value),
                    _ => throw new ArgumentOutOfRangeException(nameof(place), place, "No such place."),
                };
            }
            catch (ArgumentOutOfRangeException error)
            {
                Assert.Equal(value, error.ActualValue);
                DurationValues.AssertRefused(error.ParamName!, value, error.Message);
            }
        });
        await host.StartAsync(Cancellation);
        await Eventually.IsTrueAsync(() => _work.IsRunning, Bound, "the node leads");
        var report = await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Cancellation).WaitAsync(Bound, Cancellation);
        Assert.Equal(HealthStatus.Healthy, report.Status);
        await StopsAsync(host);
    }

    [Theory]
    [Failure("F41", "F60")]
    [MemberData(nameof(Each))]
    public async Task A_time_to_stay_away_works_or_is_refused(TimeSpan stayAway)
    {
        using var host = Build(_ => { });
        await host.StartAsync(Cancellation);
        await Eventually.IsTrueAsync(() => _work.IsRunning, Bound, "the node leads");
        var term = _work.Term;
        try
        {
            term.StepDown(stayAway);
            await Eventually.IsTrueAsync(() => term.State == LeaseState.Released, Bound, "the term ends");
        }
        catch (ArgumentOutOfRangeException error)
        {
            Assert.Equal(stayAway, error.ActualValue);
            DurationValues.AssertRefused(nameof(stayAway), stayAway, error.Message);
            Assert.Equal(LeaseState.Held, term.State);
        }

        await StopsAsync(host);
    }

    [Theory]
    [Failure("F41", "F67")]
    [MemberData(nameof(OfPeriodicServices))]
    public async Task A_periodic_services_duration_works_or_stops_the_start_and_is_named(string name, TimeSpan value)
    {
        using var host = Build(_ => { }, services =>
        {
            services.AddSingleton<Periodic.Runs>();
            services.AddExclusivePeriodicService<Periodic.CountingService>(o =>
            {
                o.Interval = TimeSpan.FromDays(2);
                DurationValues.Set(o, name, value);
            });
        });
        if (await StartsAsync(host, name, value))
        {
            await StopsAsync(host);
        }
    }

    [Theory]
    [Failure("F41", "F67")]
    [MemberData(nameof(OfWorkThatIsRunOnce))]
    public async Task A_duration_of_work_that_is_run_once_works_or_stops_the_start_and_is_named(string name, TimeSpan value)
    {
        var runs = 0;
        using var host = Build(_ => { }, services => services.AddRunOnce("schema", (_, _) => Task.FromResult(runs++), o => DurationValues.Set(o, name, value)));
        if (await StartsAsync(host, name, value))
        {
            await StopsAsync(host);
            Assert.Equal(1, runs);
        }
    }

    [Theory]
    [Failure("F41")]
    [MemberData(nameof(OfPartitionedServices))]
    public async Task A_partitioned_services_duration_works_or_stops_the_start(string name, TimeSpan value)
    {
        var work = new Partitions.PartitionWorkOfAll();
        work.Do["1"] = static (_, _) => throw new InvalidOperationException("The work failed.");
        work.Do["2"] = static (_, _) => Task.CompletedTask;
        using var host = Build(_ => { }, services =>
        {
            services.AddSingleton(work).AddSingleton(new Partitions.PartitionNames());
            services.AddPartitionedBackgroundService<Partitions.SharedService>(o =>
            {
                o.Partitions = 3;
                DurationValues.Set(o, name, value);
            });
        });
        if (await StartsAsync(host, name, value))
        {
            await Eventually.IsTrueAsync(() => work.Terms.Count >= 3 && work.NodeOf("0") is not null, Bound, "the node leads its partitions");
            await StopsAsync(host);
            Assert.Equal(0, work.Running);
        }
    }

    private static int Overdue(IHost host) => host.Services.FlushedLogs.GetSnapshot().Count(record => record.Id.Id == OverdueLine);

    private static async Task<bool> StartsAsync(IHost host, string name, TimeSpan value)
    {
        try
        {
            await host.StartAsync(Cancellation).WaitAsync(Bound, Cancellation);
            return true;
        }
        catch (OptionsValidationException error)
        {
            // Shorter than the other delay is a refusal of its own.
            if (!error.Message.Contains($"{nameof(ExclusiveServiceOptions.MaxRestartDelay)} is", StringComparison.Ordinal)
                || !error.Message.Contains("Raise the one or lower the other", StringComparison.Ordinal))
            {
                DurationValues.AssertRefused(name, value, error.Message);
            }

            return false;
        }
    }

    private static Task StopsAsync(IHost host) => host.StopAsync(Cancellation).WaitAsync(Bound, Cancellation);

    private IHost Build(Action<ExclusiveServiceOptions> configure, Action<IServiceCollection>? services = null)
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Logging.AddFakeLogging();
        builder.Services.AddSingleton(_work);
        builder.Services.AddCoordination(o => (o.LeaseDuration, o.RenewalInterval) = (TimeSpan.FromMinutes(2), TimeSpan.FromMilliseconds(200))).UseInMemory(_store);
        builder.Services.AddExclusiveBackgroundService<WorkingService>(configure);
        services?.Invoke(builder.Services);
        return builder.Build();
    }
}
