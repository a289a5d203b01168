using Coordination;
using Coordination.Hosting.Health;
using Coordination.Hosting.Services;
using Coordination.Hosting.Stores;
using Coordination.Stores;
using Coordination.Telemetry;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the health check.</summary>
public static class CoordinationHealthChecksBuilderExtensions
{
    /// <summary>
    /// Adds a health check of this node's coordination: healthy as a leader and as a standby, degraded while locks, or some of them, cannot be acquired, and
    /// <paramref name="failureStatus"/> while work goes on too long after its lock was lost.
    /// </summary>
    /// <remarks>
    /// Whether locks can be acquired is known from the calls that the node made last; the store is asked for a sign of life where it made none for a minute.
    /// The data of the result has <c>node</c>, <c>store</c>, and <c>locks</c>: for each lock name the node's <c>role</c> (leader, standby,
    /// none) and <c>state</c>, and where a leader is known its <c>nodeId</c>, <c>token</c> and <c>since</c>. No secret is in it.
    /// </remarks>
    /// <param name="builder">The health checks of the host.</param>
    /// <param name="name">The name of the check.</param>
    /// <param name="failureStatus">What overdue work is reported as. Null, the default, for <see cref="HealthStatus.Unhealthy"/>.</param>
    /// <param name="tags">Tags to choose the check by.</param>
    /// <param name="storeTimeLimit">How long the store has to reply, where it is asked: 1 ms to 49 days. Null, the default, for 500 ms.</param>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> or <paramref name="name"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="storeTimeLimit"/> is not in its range.</exception>
    public static IHealthChecksBuilder AddCoordinationHealthCheck(
        this IHealthChecksBuilder builder,
        string name = "coordination",
        HealthStatus? failureStatus = null,
        IEnumerable<string>? tags = null,
        TimeSpan? storeTimeLimit = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(name);
        var limit = storeTimeLimit ?? StoreTimeLimit.OfHealthCheck;
        StoreTimeLimit.Range.Validate(nameof(storeTimeLimit), nameof(storeTimeLimit), storeTimeLimit);

        // A host that only takes locks has no exclusive services, and a store to be asked all the same.
        builder.Services.AddOptions<ExclusiveServiceOptions>();
        builder.Services.TryAddSingleton<ExclusiveServices>();
        return builder.Add(new HealthCheckRegistration(
            name,
            provider => new CoordinationHealthCheck(
                provider.GetRequiredService<ExclusiveServices>(),
                provider.GetRequiredService<ILockProvider>(),
                provider.GetRequiredService<ILockStore>(),
                provider.GetRequiredService<ILockStoreAdministration>(),
                provider.GetRequiredService<StoreCondition>(),
                provider.GetRequiredService<TimeProvider>(),
                limit),
            failureStatus,
            tags));
    }
}
