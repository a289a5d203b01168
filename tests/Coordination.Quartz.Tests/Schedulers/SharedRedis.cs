using Coordination.Quartz.Tests.Schedulers;
using Coordination.Redis.Tests.Servers;

[assembly: AssemblyFixture(typeof(SharedRedis))]

namespace Coordination.Quartz.Tests.Schedulers;

/// <summary>One redis-server for all tests, started for the first that asks; each test has a key prefix of its own.</summary>
public sealed class SharedRedis : IAsyncLifetime
{
    private readonly SemaphoreSlim _starting = new(1, 1);
    private RedisProcess? _server;

    /// <summary>Starts the server.</summary>
    public async Task<string> GetConnectionStringAsync()
    {
        await _starting.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            _server ??= await RedisProcess.StartAsync();
        }
        finally
        {
            _starting.Release();
        }

        return _server.ConnectionString;
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        _starting.Dispose();
    }
}
