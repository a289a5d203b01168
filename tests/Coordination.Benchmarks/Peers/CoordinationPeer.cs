using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace Coordination.Benchmarks.Peers;

internal sealed class CoordinationPeer : ILockPeer
{
    private readonly ServiceProvider _services;
    private readonly ILockProvider _locks;
    private readonly bool _waits;

    public CoordinationPeer(IConnectionMultiplexer connection, TimeSpan lease, bool waits)
        : this(builder => builder.UseRedis(_ => connection), lease, waits)
    {
    }

    public CoordinationPeer(Action<ICoordinationBuilder> use, TimeSpan lease, bool waits)
    {
        _waits = waits;
        var services = new ServiceCollection();
        use(services.AddCoordination(options => options.LeaseDuration = lease));
        _services = services.BuildServiceProvider();
        _locks = _services.GetRequiredService<ILockProvider>();
    }

    public Task<IAsyncDisposable> AcquireAsync(string name) => AcquireAsync(_locks.GetLock(name));

    public Task<IAsyncDisposable> AcquireAsync(string name, LockShare? share) => AcquireAsync(share?.Kind switch
    {
        null => _locks.GetLock(name),
        LockShareKind.Permit => _locks.GetSemaphore(name, share.Capacity.Permits),
        LockShareKind.Read => _locks.GetReaderWriterLock(name).Read,
        LockShareKind.Write => _locks.GetReaderWriterLock(name).Write,
        _ => throw new NotSupportedException($"No row wants {share.Kind}."),
    });

    public async Task<IAsyncDisposable> AcquireApartAsync(string name) =>
        await _locks.GetLock(name).WithOwner(_locks.CreateOwner()).AcquireAsync();

    public ValueTask DisposeAsync() => _services.DisposeAsync();

    private async Task<IAsyncDisposable> AcquireAsync(ILock wanted) =>
        _waits
            ? await wanted.AcquireAsync()
            : await wanted.TryAcquireAsync() ?? throw new InvalidOperationException($"'{wanted.Name}' is held.");
}
