using Coordination.Hosting.Leadership;
using Coordination.Hosting.Services;
using Coordination.Stores;
using Coordination.TestKit.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;

namespace Coordination.Hosting.Tests.Nodes;

/// <summary>A host of its own, as another machine would run it.</summary>
internal sealed class TestNode : IAsyncDisposable
{
    private readonly FakeLogCollector _logs;
    private bool _disposed;

    public TestNode(Cluster cluster, string name, Action<IServiceCollection> services, Work work, Exception? fault)
    {
        Work = work;
        Store = new StoreWithFaults(cluster.Store) { Fault = fault };
        var builder = Microsoft.Extensions.Hosting.Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.ConfigureContainer(new DefaultServiceProviderFactory(new ServiceProviderOptions { ValidateScopes = true, ValidateOnBuild = true }));
        builder.Logging.SetMinimumLevel(LogLevel.Debug).AddFakeLogging(o => o.TimeProvider = cluster.Time);
        builder.Services.AddSingleton<TimeProvider>(cluster.Time);
        builder.Services.AddSingleton(work);
        builder.Services.AddCoordination(o =>
        {
            o.NodeName = name;
            o.LeaseDuration = Cluster.LeaseDuration;
        }).UseInMemory();
        builder.Services.AddSingleton<ILockStore>(Store);
        services(builder.Services);
        Host = builder.Build();

        // To be asked also when the host is disposed.
        _logs = Host.Services.GetFakeLogCollector();
    }

    public IHost Host { get; }

    /// <summary>The node's way to the store of the cluster.</summary>
    public StoreWithFaults Store { get; }

    public Work Work { get; }

    public string NodeId => Host.Services.GetRequiredService<ILockProvider>().NodeId;

    public ILeadership Leadership => Host.Services.GetRequiredService<ILeadership<WorkingService>>();

    /// <summary>Whether its services have begun to contend.</summary>
    public bool Contends => Host.Services.GetRequiredService<ExclusiveServices>().All.All(service => service.Leadership.Status.Phase != ServicePhase.NotStarted);

    public IHostApplicationLifetime Lifetime => Host.Services.GetRequiredService<IHostApplicationLifetime>();

    public IReadOnlyList<FakeLogRecord> Log
    {
        get
        {
            FlushTelemetry();
            return _logs.GetSnapshot();
        }
    }

    public int Logged(int eventId) => Log.Count(record => record.Id.Id == eventId);

    /// <summary>When the node logged an event, on the clock of the cluster.</summary>
    public List<DateTimeOffset> TimesOf(int eventId) => [.. Log.Where(record => record.Id.Id == eventId).Select(record => record.Timestamp)];

    /// <summary>Waits until the node leads and its work runs: it leads a moment before its work begins.</summary>
    public Task LeadsAsync() => Cluster.UntilAsync(() => Leadership.IsLeader && Work.IsRunning, "the node leads and works");

    /// <summary>Waits until the node stands in the queue and knows who leads.</summary>
    public Task StandsByAsync() => Cluster.UntilAsync(() => Store.IsQueued && Leadership.Leader is not null, "the node stands by");

    public Task<HealthReport> CheckHealthAsync() =>
        Host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(TestContext.Current.CancellationToken);

    /// <summary>Waits until everything that has happened is logged.</summary>
    public void FlushTelemetry()
    {
        if (!_disposed)
        {
            Host.Services.FlushTelemetry();
        }
    }

    public Task StopAsync() => Host.StopAsync(TestContext.Current.CancellationToken);

    /// <summary>Disposes the host without stopping it.</summary>
    public async Task AbandonAsync()
    {
        _disposed = true;
        await ((IAsyncDisposable)Host).DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_disposed)
        {
            _disposed = true;
            if (Lifetime.ApplicationStarted.IsCancellationRequested)
            {
                await Host.StopAsync(CancellationToken.None);
            }

            // What waits for the clock must not hold the thread that moves it, on which this may go on.
            await ((IAsyncDisposable)Host).DisposeAsync();
        }
    }
}
