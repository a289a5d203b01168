using Coordination.Quartz.Execution;
using Coordination.Stores;
using Coordination.TestKit.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Quartz;

namespace Coordination.Quartz.Tests.Schedulers;

/// <summary>A node: a host of its own with one scheduler, whose jobs are kept in memory, as each replica has them.</summary>
internal sealed class TestScheduler : IAsyncDisposable
{
    /// <summary>Outlasts every test, also on a machine that lets a process wait for seconds: a lease that ends is for the tests that are about it.</summary>
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(2);

    /// <summary>Quartz's own; a test that is about missed fires sets one that is shorter.</summary>
    private static readonly TimeSpan UsualMisfireThreshold = TimeSpan.FromSeconds(5);

    /// <summary>What all nodes are nodes of.</summary>
    public const string Application = "tests";

    private readonly IHost _host;
    private bool _isStopped;

    private TestScheduler(IHost host, IScheduler scheduler, Verdicts verdicts)
    {
        _host = host;
        Quartz = scheduler;
        Verdicts = verdicts;
    }

    public IScheduler Quartz { get; }

    public Verdicts Verdicts { get; }

    public IServiceProvider Services => _host.Services;

    public IReadOnlyList<FakeLogRecord> Log => Services.FlushedLogs.GetSnapshot();

    /// <summary>How many fires this node has under way.</summary>
    public int FiresUnderWay => Services.GetRequiredService<ExclusiveRuns>().UnderWay.Count;

    public static HostApplicationBuilder CreateBuilder(Ledger ledger, string name)
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true, ApplicationName = Application });
        builder.Logging.SetMinimumLevel(LogLevel.Debug).AddFakeLogging();
        builder.Services.AddSingleton(ledger);
        builder.Services.AddSingleton<Stage>();
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromSeconds(10));
        builder.Services.Configure<CoordinationOptions>(o => (o.LeaseDuration, o.NodeName) = (Lease, name));
        return builder;
    }

    /// <summary>Starts a node on a Redis.</summary>
    public static Task<TestScheduler> StartAsync(
        string redis, string prefix, Ledger ledger, string name, Action<IQuartzBuilder> schedule, Action<QuartzExclusivityOptions>? exclusivity = null, bool waitsForJobs = true, Action<IServiceCollection>? services = null) =>
        StartAsync(
            ledger,
            name,
            coordination => coordination.UseRedis(redis, o => o.KeyPrefix = prefix),
            schedule,
            exclusivity,
            waitsForJobs,
            services);

    /// <summary>Starts a node on a store of this process.</summary>
    public static Task<TestScheduler> StartAsync(
        ILockStore store, Ledger ledger, string name, Action<IQuartzBuilder> schedule, Action<QuartzExclusivityOptions>? exclusivity = null, bool waitsForJobs = true, Action<IServiceCollection>? services = null) =>
        StartAsync(ledger, name, coordination => coordination.Services.AddSingleton(store), schedule, exclusivity, waitsForJobs, services);

    public Task StopAsync()
    {
        _isStopped = true;
        return _host.StopAsync(CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        Services.GetRequiredService<Stage>().LetGo();
        if (!_isStopped)
        {
            await StopAsync();
        }

        await ((IAsyncDisposable)_host).DisposeAsync();
    }

    private static async Task<TestScheduler> StartAsync(
        Ledger ledger,
        string name,
        Action<ICoordinationBuilder> useStore,
        Action<IQuartzBuilder> schedule,
        Action<QuartzExclusivityOptions>? exclusivity,
        bool waitsForJobs,
        Action<IServiceCollection>? services)
    {
        var builder = CreateBuilder(ledger, name);
        var coordination = builder.Services.AddCoordination();
        useStore(coordination);
        coordination.AddQuartzExclusivity(exclusivity);
        var verdicts = new Verdicts();
        builder.Services.AddQuartz(quartz =>
        {
            quartz.ConfigureScheduler(o => o.InstanceId = name);
            quartz.AddJobListener(verdicts);
            schedule(quartz);
            // A fire that a busy machine comes to late is a late fire, and not one that was missed and gets another time.
            quartz.UseInMemoryStore(o => o.MisfireThreshold = o.MisfireThreshold < UsualMisfireThreshold ? o.MisfireThreshold : TimeSpan.FromMinutes(2));
        });
        builder.Services.AddQuartzHostedService(o => (o.WaitForJobsToComplete, o.AwaitApplicationStarted) = (waitsForJobs, false));
        services?.Invoke(builder.Services);
        var host = builder.Build();
        try
        {
            await host.StartAsync(TestContext.Current.CancellationToken);
            var scheduler = await host.Services.GetRequiredService<ISchedulerFactory>().GetScheduler(TestContext.Current.CancellationToken);
            return new TestScheduler(host, scheduler, verdicts);
        }
        catch
        {
            await ((IAsyncDisposable)host).DisposeAsync();
            throw;
        }
    }
}
