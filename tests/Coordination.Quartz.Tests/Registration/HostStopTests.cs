using Coordination.Quartz.Execution;
using Coordination.Quartz.Tests.Jobs;
using Coordination.Quartz.Tests.Schedulers;
using Coordination.Stores.InMemory;
using Coordination.TestKit.Nodes;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Options;
using Quartz;

namespace Coordination.Quartz.Tests.Registration;

/// <summary>No job outlives the leases of its host.</summary>
public sealed class HostStopTests
{
    private static readonly JobKey Job = new("staged");

    private readonly InMemoryLockStore _store = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>With each setting that lets the scheduler stop before the job does: by Quartz's defaults it has used up the whole time of the host's stop by then.</summary>
    [Theory]
    [Promise("G10")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task At_the_end_a_job_is_interrupted_and_its_lease_released_before_any_disposal(bool waitForJobs)
    {
        var isInterrupted = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var isTidy = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var node = await StartAsync(o => o.WaitForJobsToComplete = waitForJobs, TimeSpan.FromSeconds(1));
        node.Stage.Act = async (_, cancellationToken) =>
        {
            try
            {
                await node.Stage.HoldAsync(cancellationToken);
            }
            finally
            {
                // It tidies up, and needs its lease for that.
                isInterrupted.SetResult();
                await isTidy.Task;
            }
        };
        await node.Scheduler.TriggerJob(Job, Cancellation);
        await Eventually.IsTrueAsync(() => node.Stage.Calls == 1, TimeSpan.FromMinutes(1), "the job runs");
        Assert.Equal(1, _store.Count);

        var stop = node.StopAsync();
        await isInterrupted.Task.WaitAsync(TimeSpan.FromMinutes(1), Cancellation);
        Assert.Equal(1, _store.Count);
        isTidy.SetResult();
        await stop;

        Assert.Equal(0, _store.Count);
        Assert.NotNull(Assert.Single(node.Ledger.Runs).EndedAt);
        Assert.Single(node.Log, record => record.Id.Id == 1312);
        Assert.DoesNotContain(node.Log, record => record.Id.Id == 1313);
    }

    /// <summary>In 30 s, of which the jobs that are interrupted at last have 3, the releases 3, and 2 are spare.</summary>
    [Fact]
    [Failure("F87")]
    public async Task A_host_with_jobs_alone_fits_into_the_time_that_the_platform_gives()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddCoordination(o => o.TerminationGracePeriod = TimeSpan.FromSeconds(30)).UseInMemory(_store).AddQuartzExclusivity();
        builder.Services.AddQuartz();
        builder.Services.AddQuartzHostedService(o => o.WaitForJobsToComplete = true);
        using var host = builder.Build();
        await host.StartAsync(Cancellation);

        Assert.Equal(TimeSpan.FromSeconds(22), host.Services.GetRequiredService<IOptions<HostOptions>>().Value.ShutdownTimeout);
        await host.StopAsync(Cancellation);
    }

    /// <summary>As by SIGTERM while the host starts: an exception out of a starting step ends the process.</summary>
    [Fact]
    [Failure("F88")]
    public async Task A_start_that_is_cancelled_is_no_error()
    {
        var builder = TestScheduler.CreateBuilder(new Ledger(), "ada");
        builder.Services.AddCoordination().UseInMemory(_store).AddQuartzExclusivity();
        builder.Services.AddQuartz(quartz => quartz.AddJob<StagedJob>(job => job.WithIdentity(Job).StoreDurably()));
        builder.Services.AddQuartzHostedService();
        using var host = builder.Build();

        // Quartz's own step would throw, and is not ours.
        foreach (var step in host.Services.GetServices<IHostedService>().OfType<IHostedLifecycleService>().Where(step => step.GetType().Assembly.GetName().Name!.StartsWith("Coordination", StringComparison.Ordinal)))
        {
            await step.StartingAsync(new CancellationToken(canceled: true));
            await step.StartAsync(new CancellationToken(canceled: true));
            await step.StartedAsync(new CancellationToken(canceled: true));
        }
    }

    private Task<Node> StartAsync(Action<QuartzHostedServiceOptions> hosted, TimeSpan? shutdownTimeout = null)
    {
        var ledger = new Ledger();
        var builder = TestScheduler.CreateBuilder(ledger, "ada");
        builder.Services.AddCoordination().UseInMemory(_store).AddQuartzExclusivity();
        builder.Services.AddQuartz(quartz => quartz.AddJob<StagedJob>(job => job.WithIdentity(Job).StoreDurably()));
        builder.Services.AddQuartzHostedService(hosted);
        builder.Services.Configure<QuartzHostedServiceOptions>(o => o.AwaitApplicationStarted = false);
        if (shutdownTimeout is { } limit)
        {
            builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = limit);
        }

        return Node.StartAsync(builder.Build(), ledger);
    }

    private sealed class Node : IAsyncDisposable
    {
        private readonly IHost _host;
        private bool _isStopped;

        private Node(IHost host, Ledger ledger) => (_host, Ledger) = (host, ledger);

        public Ledger Ledger { get; }

        public Stage Stage => _host.Services.GetRequiredService<Stage>();

        public IScheduler Scheduler => _host.Services.GetRequiredService<IScheduler>();

        public IReadOnlyList<FakeLogRecord> Log => _host.Services.FlushedLogs.GetSnapshot();

        public static async Task<Node> StartAsync(IHost host, Ledger ledger)
        {
            await host.StartAsync(Cancellation);
            return new Node(host, ledger);
        }

        public async Task StopAsync()
        {
            _isStopped = true;
            await _host.StopAsync(CancellationToken.None);
        }

        public async ValueTask DisposeAsync()
        {
            var runs = _host.Services.GetRequiredService<ExclusiveRuns>();
            Stage.LetGo();
            if (!_isStopped)
            {
                await StopAsync();
            }

            await Eventually.IsTrueAsync(() => runs.UnderWay.Count == 0, TimeSpan.FromMinutes(1), "every fire is over");
            await ((IAsyncDisposable)_host).DisposeAsync();
        }
    }
}
