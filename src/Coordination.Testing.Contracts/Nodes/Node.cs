using Coordination.Stores;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Testing.Contracts.Nodes;

/// <summary>A node as an application registers it, with services of its own.</summary>
internal sealed class Node : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    public Node(Action<ICoordinationBuilder> useStore, Action<CoordinationOptions>? configure)
    {
        var services = new ServiceCollection();
        useStore(services.AddCoordination(configure));
        _services = services.BuildServiceProvider();
        Provider = _services.GetRequiredService<ILockProvider>();
    }

    public IServiceProvider Services => _services;

    public ILockProvider Provider { get; }

    public ILockStore Store => _services.GetRequiredService<ILockStore>();

    public ILockStoreAdministration Administration => _services.GetRequiredService<ILockStoreAdministration>();

    public ILockInspector Inspector => _services.GetRequiredService<ILockInspector>();

    public ILock GetLock(string name, LockOptions? options = null) => Provider.GetLock(name, options);

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
