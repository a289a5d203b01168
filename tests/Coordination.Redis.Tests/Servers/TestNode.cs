using Coordination.Redis.Stores;
using Coordination.TestKit.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Coordination.Redis.Tests.Servers;

/// <summary>A node on a Redis.</summary>
internal sealed class TestNode : Node
{
    public TestNode(Action<ICoordinationBuilder> useRedis, Action<CoordinationOptions>? configure = null)
        : base(useRedis, configure)
    {
    }

    public TestNode(string connectionString, string prefix, bool probe = false)
        : this(ConfigurationOptions.Parse(connectionString), prefix, probe)
    {
    }

    public TestNode(ConfigurationOptions settings, string prefix, bool probe = false)
        : base(builder => builder.UseRedis(settings, options =>
        {
            options.KeyPrefix = prefix;
            options.ProbeOnStart = probe;
            // Machines that run tests are busy; those that test time limits set their own.
            options.CommandTimeout = TimeSpan.FromSeconds(4);
        }))
    {
    }

    public RedisLockStore RedisStore => Services.GetRequiredService<RedisLockStore>();

    public RedisStoreOptions Options => Services.GetRequiredService<IOptions<RedisStoreOptions>>().Value;

    /// <summary>Goes through the steps of a start in which its server is examined.</summary>
    public async Task ExamineAsync(CancellationToken cancellationToken)
    {
        foreach (var start in Services.GetServices<IHostedService>().OfType<IHostedLifecycleService>())
        {
            await start.StartingAsync(cancellationToken);
            await start.StartAsync(cancellationToken);
            await start.StartedAsync(cancellationToken);
        }
    }
}
