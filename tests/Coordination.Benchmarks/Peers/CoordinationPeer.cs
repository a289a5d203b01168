using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace Coordination.Benchmarks.Peers;

internal sealed class CoordinationPeer : ILockPeer
{
    private readonly ServiceProvider _services;
    private readonly ILockProvider _locks;
    private readonly bool _waits;

    public CoordinationPeer(IConnectionMultiplexer connection, TimeSpan lease, bool waits)
    {
        _waits = waits;
        var services = new ServiceCollection().AddSingleton(connection);
        services.AddCoordination(options => options.LeaseDuration = lease).UseRedis();
        _services = services.BuildServiceProvider();
        _locks = _services.GetRequiredService<ILockProvider>();
    }

    public async Task<IAsyncDisposable> AcquireAsync(string name)
    {
        var wanted = _locks.GetLock(name);
        return _waits
            ? await wanted.AcquireAsync()
            : await wanted.TryAcquireAsync() ?? throw new InvalidOperationException($"'{name}' is held.");
    }

    public async Task<IAsyncDisposable> AcquireApartAsync(string name) =>
        await _locks.GetLock(name).WithOwner(_locks.CreateOwner()).AcquireAsync();

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
