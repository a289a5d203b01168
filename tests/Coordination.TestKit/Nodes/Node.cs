using Coordination.Stores;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;

namespace Coordination.TestKit.Nodes;

/// <summary>A node as an application registers it, with services of its own and with what it logs.</summary>
public class Node : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    public Node(Action<ICoordinationBuilder> useStore, Action<CoordinationOptions>? configure = null)
    {
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.AddFakeLogging().SetMinimumLevel(LogLevel.Trace));
        useStore(services.AddCoordination(configure));
        _services = services.BuildServiceProvider();
    }

    public IServiceProvider Services => _services;

    public ILockProvider Provider => _services.GetRequiredService<ILockProvider>();

    public ILockStore Store => _services.GetRequiredService<ILockStore>();

    public ILockStoreAdministration Administration => Services.GetRequiredService<ILockStoreAdministration>();

    public ILockInspector Inspector => _services.GetRequiredService<ILockInspector>();

    /// <summary>What was logged until now: lines are written by another thread.</summary>
    public FakeLogCollector Logs => _services.FlushedLogs;

    public ILock GetLock(string name, LockOptions? options = null) => Provider.GetLock(name, options);

    /// <summary>Waits until all logs, metrics and traces of what has happened are written.</summary>
    public void Flush() => _services.FlushTelemetry();

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return _services.DisposeAsync();
    }
}
