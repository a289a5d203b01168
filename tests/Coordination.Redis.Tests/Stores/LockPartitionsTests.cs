using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Coordination.Redis.Connections;
using Coordination.Redis.Stores;
using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;

namespace Coordination.Redis.Tests.Stores;

public sealed class LockPartitionsTests
{
    [Fact]
    [Failure("F31")]
    public void What_a_refused_script_teaches_of_slots_outlasts_a_look_that_is_under_way()
    {
        var connection = LookedAtConnection.New();
        var partitions = new LockPartitions(new RedisConnection(connection.Connection, NullLogger.Instance));
        connection.Looking = partitions.LearnOfSlots;

        Assert.True(partitions.AreSlots);
        Assert.NotEqual(partitions.Of("orders"), partitions.Of("invoices"));
    }

    /// <summary>A connection whose servers the client does not know for a Cluster's.</summary>
    [SuppressMessage("Performance", "CA1852:Seal internal types", Justification = "DispatchProxy derives from it.")]
    internal class LookedAtConnection : DispatchProxy
    {
        public IConnectionMultiplexer Connection => (IConnectionMultiplexer)(object)this;

        /// <summary>Called while somebody looks at the servers.</summary>
        public Action? Looking { get; set; }

        public static LookedAtConnection New() => (LookedAtConnection)(object)Create<IConnectionMultiplexer, LookedAtConnection>();

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            if (targetMethod!.Name != nameof(IConnectionMultiplexer.GetServers))
            {
                throw new NotSupportedException(targetMethod.Name);
            }

            Looking?.Invoke();
            return Array.Empty<IServer>();
        }
    }
}
