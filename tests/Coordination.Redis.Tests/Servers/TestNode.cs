using Coordination.Redis.Stores;
using Coordination.Stores;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Coordination.Redis.Tests.Servers;

/// <summary>A node as an application registers it, with what it logs.</summary>
public sealed class TestNode : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    public TestNode(Action<ICoordinationBuilder> useRedis, Action<CoordinationOptions>? configure = null)
    {
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.AddFakeLogging().SetMinimumLevel(LogLevel.Trace));
        useRedis(services.AddCoordination(configure));
        _services = services.BuildServiceProvider();
    }

    public TestNode(string connectionString, string prefix, bool probe = false)
        : this(ConfigurationOptions.Parse(connectionString), prefix, probe)
    {
    }

    public TestNode(ConfigurationOptions settings, string prefix, bool probe = false)
        : this(builder => builder.UseRedis(settings, options =>
        {
            options.KeyPrefix = prefix;
            options.ProbeOnStart = probe;
            // Machines that run tests are busy; those that test time limits set their own.
            options.CommandTimeout = TimeSpan.FromSeconds(4);
        }))
    {
    }

    public IServiceProvider Services => _services;

    public ILockStore Store => _services.GetRequiredService<ILockStore>();

    public ILockStoreAdministration Administration => _services.GetRequiredService<ILockStoreAdministration>();

    internal RedisLockStore RedisStore => _services.GetRequiredService<RedisLockStore>();

    public FakeLogCollector Logs => _services.GetFakeLogCollector();

    public RedisStoreOptions Options => _services.GetRequiredService<IOptions<RedisStoreOptions>>().Value;

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
