using Coordination.Quartz.Execution;
using Coordination.Quartz.Tests.Jobs;
using Coordination.Quartz.Tests.Schedulers;
using Coordination.Stores.InMemory;
using Coordination.TestKit.Nodes;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Quartz;

namespace Coordination.Quartz.Tests.Registration;

/// <summary>Ways to register exclusivity. The store is one of this process.</summary>
public sealed class RegistrationTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(1);
    private static readonly JobKey Job = new("staged");

    private readonly Ledger _ledger = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task It_does_not_matter_whether_schedulers_are_registered_before_or_after(bool before)
    {
        using var host = Build(services =>
        {
            if (before)
            {
                services.AddQuartz(AddJob);
            }

            services.AddCoordination().UseInMemory().AddQuartzExclusivity();
            if (!before)
            {
                services.AddQuartz(AddJob);
            }
        });
        await RunOnceAsync(host.Services.GetRequiredService<ISchedulerFactory>());
        Assert.NotNull(Assert.Single(_ledger.Runs).Token);
    }

    [Fact]
    public async Task Exclusivity_that_is_added_twice_acquires_one_lease()
    {
        using var host = Build(services =>
        {
            services.AddCoordination().UseInMemory().AddQuartzExclusivity().AddQuartzExclusivity();
            services.AddQuartz(quartz => AddJob(quartz.AddQuartzExclusivity().AddQuartzExclusivity()));
        });
        await RunOnceAsync(host.Services.GetRequiredService<ISchedulerFactory>());
        Assert.NotNull(Assert.Single(_ledger.Runs).Token);
        Assert.Equal(1, host.Services.FlushedLogs.GetSnapshot().Count(record => record.Id.Id == 1300));
    }

    /// <summary>Its jobs would have no locks, and run on every node.</summary>
    [Fact]
    [Promise("G13")]
    [Failure("F84")]
    public void Exclusivity_that_is_added_to_a_node_with_a_name_is_refused_with_what_to_do()
    {
        var failure = Assert.Throws<InvalidOperationException>(() => Build(services => services.AddCoordination("billing").UseInMemory().AddQuartzExclusivity()));
        Assert.Contains("'billing'", failure.Message, StringComparison.Ordinal);
        Assert.Contains("services.AddCoordination()", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    [Failure("F84")]
    public async Task An_exclusive_scheduler_beside_nodes_with_names_only_says_what_is_missing()
    {
        using var host = Build(services =>
        {
            services.AddCoordination("billing").UseInMemory();
            services.AddQuartz(quartz => AddJob(quartz.AddQuartzExclusivity()));
        });
        var failure = await Assert.ThrowsAnyAsync<Exception>(() => host.Services.GetRequiredService<ISchedulerFactory>().GetScheduler(Cancellation).AsTask());
        Assert.Contains("services.AddCoordination()", failure.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_of_two_schedulers_may_be_exclusive_by_itself_with_options_of_its_own()
    {
        using var host = Build(services =>
        {
            services.AddCoordination().UseInMemory();
            services.AddQuartz("exclusive", quartz => AddJob(quartz.AddQuartzExclusivity(o => o.Defaults.Name = "of-its-own")));
            services.AddQuartz("plain", AddJob);
        });
        await RunOnceAsync(host.Services.GetRequiredKeyedService<ISchedulerFactory>("plain"));
        Assert.Null(Assert.Single(_ledger.Runs).Token);
        await RunOnceAsync(host.Services.GetRequiredKeyedService<ISchedulerFactory>("exclusive"), runs: 2);
        Assert.NotNull(_ledger.Runs[1].Token);
        Assert.Equal("of-its-own", host.Services.GetRequiredService<IOptionsMonitor<QuartzExclusivityOptions>>().Get("exclusive").Defaults.Name);
    }

    [Fact]
    public async Task All_named_schedulers_are_exclusive_together()
    {
        using var host = Build(services =>
        {
            services.AddCoordination().UseInMemory().AddQuartzExclusivity();
            services.AddQuartz("one", AddJob);
            services.AddQuartz("two", AddJob);
        });
        await RunOnceAsync(host.Services.GetRequiredKeyedService<ISchedulerFactory>("one"));
        await RunOnceAsync(host.Services.GetRequiredKeyedService<ISchedulerFactory>("two"), runs: 2);
        Assert.All(_ledger.Runs, run => Assert.NotNull(run.Token));
        _ledger.AssertOneAtATime();
    }

    [Fact]
    public async Task A_scheduler_that_is_built_without_a_container_is_exclusive()
    {
        var store = new InMemoryLockStore();
        var stage = new Stage();
        await using var factory = QuartzSchedulerBuilder.Create(quartz =>
        {
            quartz.Services.AddSingleton(_ledger).AddSingleton(stage);
            quartz.Services.AddCoordination().UseInMemory(store);
            AddJob(quartz.AddQuartzExclusivity());
        }).Build();
        var scheduler = await factory.GetScheduler(Cancellation);
        await scheduler.Start(Cancellation);
        stage.Act = (_, cancellationToken) => stage.HoldAsync(cancellationToken);
        await scheduler.TriggerJob(Job, Cancellation);
        await Until(() => _ledger.Runs.Count == 1);
        Assert.Equal(1, store.Count);
        stage.LetGo();
        await Until(() => store.Count == 0);
        Assert.NotNull(_ledger.Runs[0].Token);
    }

    /// <summary>No host stops it, and its container has the locks as well.</summary>
    [Fact]
    [Promise("G10")]
    public async Task A_factory_that_is_disposed_awaits_its_jobs_before_their_leases_end()
    {
        var store = new InMemoryLockStore();
        var (begun, end) = (new TaskCompletionSource(), new TaskCompletionSource<LeaseState>());
        var factory = QuartzSchedulerBuilder.Create(quartz =>
        {
            quartz.Services.AddCoordination().UseInMemory(store);
            quartz.AddQuartzExclusivity().AddJob<CallingJob>(job => job.WithIdentity(Job).StoreDurably().DisallowConcurrentAcrossCluster());
            quartz.Services.AddSingleton(new Calls(async context =>
            {
                var lease = context.GetLease();
                begun.SetResult();
                await Task.Delay(Timeout.Infinite, context.CancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                end.SetResult(lease.State);
            }));
        }).Build();
        var scheduler = await factory.GetScheduler(Cancellation);
        await scheduler.Start(Cancellation);
        await scheduler.TriggerJob(Job, Cancellation);
        await begun.Task.WaitAsync(TimeSpan.FromMinutes(1), Cancellation);
        await factory.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(1), Cancellation);

        Assert.True(end.Task.IsCompleted, "The job has ended.");
        Assert.NotEqual(LeaseState.Lost, await end.Task);
        Assert.Equal(0, store.Count);
    }

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 0)]
    public async Task Settings_that_let_a_job_outlive_the_host_are_warned_of(bool waits, int warnings)
    {
        using var host = Build(services =>
        {
            services.AddCoordination().UseInMemory().AddQuartzExclusivity();
            services.AddQuartz(AddJob);
            services.AddQuartzHostedService(o => o.WaitForJobsToComplete = waits);
        });
        await host.StartAsync(Cancellation);
        var warned = host.Services.FlushedLogs.GetSnapshot().Where(record => record.Id.Id == 1311).ToList();
        await host.StopAsync(Cancellation);
        Assert.Equal(warnings, warned.Count);
        Assert.All(warned, record => Assert.Contains("WaitForJobsToComplete", record.Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_host_does_not_start_with_a_job_that_cannot_be_exclusive_as_it_is_set()
    {
        using var host = Build(services =>
        {
            services.AddCoordination().UseInMemory().AddQuartzExclusivity();
            services.AddQuartz(quartz => quartz.AddJob<StagedJob>(job => job.WithIdentity(Job).StoreDurably().UsingJobData(ExclusiveJobData.LeaseDuration, "00:00:00.001")));
            services.AddQuartzHostedService();
        });
        var failure = await Assert.ThrowsAsync<ArgumentException>(() => host.StartAsync(Cancellation));
        Assert.Contains("LeaseDuration is 00:00:00.0010000", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [Failure("F83")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_host_that_does_not_start_for_wrong_data_names_the_job_and_the_trigger(bool ofTrigger)
    {
        using var host = Build(services =>
        {
            services.AddCoordination().UseInMemory().AddQuartzExclusivity();
            services.AddQuartz(quartz =>
            {
                quartz.AddJob<StagedJob>(job => job.WithIdentity(Job).StoreDurably().UsingJobData(ofTrigger ? "any" : ExclusiveJobData.MaxWait, "30"));
                quartz.AddTrigger(trigger => trigger.ForJob(Job).WithIdentity("nightly").WithCronSchedule("0 0 3 * * ?").UsingJobData(ofTrigger ? ExclusiveJobData.MaxWait : "any", "30"));
            });
            services.AddQuartzHostedService();
        });
        var failure = await Assert.ThrowsAsync<ArgumentException>(() => host.StartAsync(Cancellation));
        Assert.Contains("Write 00:00:30", failure.Message, StringComparison.Ordinal);
        Assert.Contains(Job.ToString(), failure.Message, StringComparison.Ordinal);
        Assert.Equal(ofTrigger, failure.Message.Contains("DEFAULT.nightly", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_host_does_not_start_with_options_that_are_out_of_range()
    {
        using var host = Build(services =>
        {
            services.AddCoordination().UseInMemory().AddQuartzExclusivity(o => o.Defaults.MaxWait = TimeSpan.Zero);
            services.AddQuartz(AddJob);
        });
        var failure = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(Cancellation));
        Assert.Contains("MaxWait is 00:00:00", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Settings_come_from_the_configuration_and_then_from_code(bool codeComesFirst)
    {
        using var host = Build(services =>
        {
            services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
            {
                ["Coordination:Quartz:Defaults:OnConflict"] = "Wait",
                ["Coordination:Quartz:Defaults:MaxWait"] = "00:00:07",
                ["Coordination:Quartz:FireTimeRetention"] = "2.00:00:00",
            }).Build());
            if (codeComesFirst)
            {
                services.ConfigureAll<QuartzExclusivityOptions>(Set);
            }

            services.AddCoordination().UseInMemory().AddQuartzExclusivity(codeComesFirst ? null : Set);
        });
        var options = host.Services.GetRequiredService<IOptionsMonitor<QuartzExclusivityOptions>>().Get("any");
        Assert.Equal((JobConflictAction.Wait, TimeSpan.FromSeconds(9), TimeSpan.FromDays(2)), (options.Defaults.OnConflict, options.Defaults.MaxWait, options.FireTimeRetention));

        static void Set(QuartzExclusivityOptions options) => options.Defaults.MaxWait = TimeSpan.FromSeconds(9);
    }

    [Theory]
    [Failure("F83")]
    [InlineData("Coordination:Quartz:FireTimeRetention", "2", "Write 00:00:02")]
    [InlineData("Coordination:Quartz:Defaults:MaxWait", "48:00:00", "Write 2.00:00:00")]
    public async Task A_host_does_not_start_with_a_duration_that_is_not_written_as_one(string key, string value, string expected)
    {
        using var host = Build(services =>
        {
            services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection([new(key, value)]).Build());
            services.AddCoordination().UseInMemory().AddQuartzExclusivity();
            services.AddQuartz(AddJob);
        });
        var failure = await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync(Cancellation));
        Assert.Contains($"{key} is '{value}'", failure.Message, StringComparison.Ordinal);
        Assert.Contains(expected, failure.Message, StringComparison.Ordinal);
    }

    /// <summary>Which is what a fire waits at most that is told to wait; by default one that waits does so for as long as it takes.</summary>
    [Theory]
    [Failure("F83")]
    [InlineData(null, null, null)]
    [InlineData("Skip", null, null)]
    [InlineData("Wait", null, "00:01:00")]
    [InlineData(null, "00:00:07", "00:00:07")]
    public async Task The_longest_wait_is_told_at_the_start_where_there_is_one(string? onConflict, string? maxWait, string? told)
    {
        using var host = Build(services =>
        {
            services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(
            [
                new("Coordination:Quartz:Defaults:OnConflict", onConflict),
                new("Coordination:Quartz:Defaults:MaxWait", maxWait),
            ]).Build());
            services.AddCoordination().UseInMemory().AddQuartzExclusivity();
            services.AddQuartz(AddJob);
        });
        await host.StartAsync(Cancellation);
        var durations = Assert.Single(host.Services.FlushedLogs.GetSnapshot(), record => record.Id.Id == 1030).Message;
        await host.StopAsync(Cancellation);
        Assert.Equal(told is not null, durations.Contains("Quartz:Defaults:MaxWait", StringComparison.Ordinal));
        Assert.Contains(told is null ? "" : $"Quartz:Defaults:MaxWait {told}", durations, StringComparison.Ordinal);
    }

    [Fact]
    [Failure("F83")]
    public async Task Misspelt_keys_are_named_at_the_start_and_the_durations_in_effect_told()
    {
        using var host = Build(services =>
        {
            services.AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(
            [
                new("Coordination:Quartz:FireTimeRetension", "2.00:00:00"),
                new("Coordination:Quartz:Defaults:MaxWiat", "00:00:07"),
                new("Coordination:Quartz:Defaults:LockAtLeastFor", "00:00:08"),
            ]).Build());
            services.AddCoordination().UseInMemory().AddQuartzExclusivity();
            services.AddQuartz(AddJob);
        });
        await host.StartAsync(Cancellation);
        var log = host.Services.FlushedLogs.GetSnapshot();
        await host.StopAsync(Cancellation);
        Assert.Equal(
            ["Coordination:Quartz:Defaults:MaxWiat", "Coordination:Quartz:FireTimeRetension"],
            log.Where(record => record.Id.Id == 1031).Select(record => record.GetStructuredStateValue("Key")).Order(StringComparer.Ordinal));
        Assert.Contains(
            "Quartz:FireTimeRetention 1.00:00:00, Quartz:Defaults:LockAtLeastFor 00:00:08",
            Assert.Single(log, record => record.Id.Id == 1030).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Jobs_by_scope_with_an_input_next_to_Quartzs_own_attribute_are_exclusive()
    {
        using var host = Build(services =>
        {
            services.AddScoped<Scoped>();
            services.AddCoordination().UseInMemory().AddQuartzExclusivity();
            services.AddQuartz(quartz => quartz.AddJob<InputJob>(job => job.WithIdentity(Job).StoreDurably()));
        });
        var scheduler = await host.Services.GetRequiredService<ISchedulerFactory>().GetScheduler(Cancellation);
        await scheduler.Start(Cancellation);
        await scheduler.TriggerJob(Job, "north", Cancellation);
        await Until(() => _ledger.Runs.Count == 1 && _ledger.Runs[0].EndedAt is not null);
        Assert.NotNull(_ledger.Runs[0].Token);
        await scheduler.Shutdown(true, Cancellation);
    }

    [Fact]
    public async Task A_job_of_a_store_that_keeps_jobs_is_exclusive_by_its_key_also_a_generated_one()
    {
        var folder = Directory.CreateTempSubdirectory("coordination-quartz-");
        var store = new InMemoryLockStore();
        var key = new JobKey(Guid.NewGuid().ToString());
        using (var host = Build(services =>
        {
            services.AddCoordination().UseInMemory(store).AddQuartzExclusivity();
            services.AddQuartz(quartz => quartz
                .UsePersistentStore(persistence => persistence
                    .UseSqlite($"Data Source={Path.Combine(folder.FullName, "jobs.db")};Pooling=False")
                    .ConfigureStore(o => o.SchemaProvisioning = SchemaProvisioning.CreateIfMissing))
                .AddJob<StagedJob>(job => job.WithIdentity(key).StoreDurably().DisallowConcurrentAcrossCluster(o => o.OnConflict = JobConflictAction.Wait)));
        }))
        {
            var stage = host.Services.GetRequiredService<Stage>();
            stage.Act = (_, cancellationToken) => stage.HoldAsync(cancellationToken);
            var scheduler = await host.Services.GetRequiredService<ISchedulerFactory>().GetScheduler(Cancellation);
            await scheduler.Start(Cancellation);
            await scheduler.TriggerJob(key, Cancellation);
            await Until(() => _ledger.Runs.Count == 1);
            Assert.NotNull(await store.GetHolderAsync($"tests/QuartzScheduler/DEFAULT/{key.Name}", Cancellation));

            // The second waits, as the job's data say, which the database kept.
            await scheduler.TriggerJob(key, Cancellation);
            await Until(() => host.Services.GetRequiredService<ExclusiveRuns>().UnderWay.Count == 2);
            stage.LetGo();
            await Until(() => _ledger.Runs.Count == 2 && store.Count == 0);
            _ledger.AssertOneAtATime();
            await scheduler.Shutdown(true, Cancellation);
        }

        folder.Delete(recursive: true);
    }

    private static void AddJob(IQuartzBuilder quartz) => quartz.AddJob<StagedJob>(job => job.WithIdentity(Job).StoreDurably());

    private static Task Until(Func<bool> condition) => Eventually.IsTrueAsync(condition, Bound, "what the test waits for");

    private IHost Build(Action<IServiceCollection> configure)
    {
        var builder = TestScheduler.CreateBuilder(_ledger, "node");
        configure(builder.Services);
        return builder.Build();
    }

    private async Task RunOnceAsync(ISchedulerFactory factory, int runs = 1)
    {
        var scheduler = await factory.GetScheduler(Cancellation);
        await scheduler.Start(Cancellation);
        await scheduler.TriggerJob(Job, Cancellation);
        await Until(() => _ledger.Runs.Count(run => run.EndedAt is not null) == runs);
        await scheduler.Shutdown(true, Cancellation);
    }
}
