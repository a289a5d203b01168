using Coordination;
using Coordination.DependencyInjection;
using Coordination.Hosting.DependencyInjection;
using Coordination.Hosting.Health;
using Coordination.Hosting.Services;
using Coordination.Hosting.Stores;
using Coordination.Stores;
using Coordination.Telemetry;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers health checks.</summary>
/// <remarks>
/// Each check has the platform's parameters: what it reports as its failure, <see cref="HealthStatus.Unhealthy"/> by default; tags to choose it by; and a time
/// limit for all of it, from 1 ms to 49 days, none by default. <c>storeTimeLimit</c> is how long the store has to reply where it is asked: 1 ms to 49 days,
/// 500 ms by default.
/// </remarks>
public static class CoordinationHealthChecksBuilderExtensions
{
    /// <summary>
    /// Adds a check of this node's coordination: healthy as a leader and as a standby. Degraded while locks, or some of them, cannot be acquired, while a
    /// service has not started or has stopped, while work that is run once is not done, while the partitions of a service cannot be named any more or some have no lock, and after <see cref="ExclusiveServiceOptions.DegradedAfterFailures"/>.
    /// <paramref name="failureStatus"/> while work goes on too long after its lock was lost, while the partitions of a service could never be named, and after
    /// <see cref="ExclusiveServiceOptions.UnhealthyAfterFailures"/>. Periodic services count failures by <see cref="ExclusivePeriodicOptions"/>.
    /// </summary>
    /// <remarks>
    /// Whether locks can be acquired is known from the calls that the node made last; the store is asked whether it takes writes where it made none for a minute.
    /// The data of the result has <c>node</c>, <c>store</c>, and <c>locks</c>: for each lock name the node's <c>role</c> (leader, standby,
    /// none), <c>state</c> and <c>phase</c>, its <c>failuresInARow</c> and the type of its <c>lastFailure</c>, and where a leader is known its
    /// <c>nodeId</c>, <c>token</c> and <c>since</c>. Where several nodes lead at a time it has their number as <c>instances</c>, and all that are known in <c>leaders</c>, each with its
    /// <c>instance</c> and the same; while others use the lock with another number, <c>inUseAs</c> names that, and the node is a healthy standby. Of periodic services it has <c>phase</c> and the failures, of work that is run once <c>phase</c>, of partitioned services <c>phase</c>, <c>state</c>, <c>canLead</c>, <c>led</c>, <c>share</c>, <c>partitions</c>, <c>members</c>, <c>failing</c> and <c>failuresInARow</c>, and where so the type of the <c>namingFailure</c> and how many names are <c>leftOut</c>. No secret is in it.
    /// </remarks>
    /// <param name="builder">The health checks of the host.</param>
    /// <param name="name">The name of the check. Null, the default, for <c>coordination</c>, and for <c>coordination:{nodeName}</c> of a node that has a name.</param>
    /// <param name="failureStatus">What it reports as its failure.</param>
    /// <param name="tags">Tags to choose the check by.</param>
    /// <param name="storeTimeLimit">How long the store has to reply.</param>
    /// <param name="timeout">How long the check may take.</param>
    /// <param name="nodeName">
    /// The name of the node that is checked, of <c>services.AddCoordination("billing")</c>: its store and the work with its locks alone. Null, the default, for the node
    /// that has no name.
    /// </param>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A duration is not in its range.</exception>
    public static IHealthChecksBuilder AddCoordinationHealthCheck(
        this IHealthChecksBuilder builder,
        string? name = null,
        HealthStatus? failureStatus = null,
        IEnumerable<string>? tags = null,
        TimeSpan? storeTimeLimit = null,
        TimeSpan? timeout = null,
        string? nodeName = null) =>
        AddOf(builder, name ?? NameOf("coordination", nodeName), new ServiceChoice(NodeName: nodeName), failureStatus, tags, storeTimeLimit, timeout);

    /// <summary>Adds the same check for the work with one lock alone. Work that is run once has the lock <c>run-once/</c> and its name.</summary>
    /// <param name="builder">The health checks of the host.</param>
    /// <param name="name">The name of the check.</param>
    /// <param name="lockName">The name of the lock.</param>
    /// <param name="failureStatus">What it reports as its failure.</param>
    /// <param name="tags">Tags to choose the check by.</param>
    /// <param name="storeTimeLimit">How long the store has to reply.</param>
    /// <param name="timeout">How long the check may take.</param>
    /// <exception cref="ArgumentNullException">An argument is null that must not be.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A duration is not in its range.</exception>
    public static IHealthChecksBuilder AddCoordinationHealthCheck(
        this IHealthChecksBuilder builder,
        string name,
        string lockName,
        HealthStatus? failureStatus = null,
        IEnumerable<string>? tags = null,
        TimeSpan? storeTimeLimit = null,
        TimeSpan? timeout = null)
    {
        ArgumentNullException.ThrowIfNull(lockName);
        return AddOf(builder, name, new ServiceChoice(LockName: lockName), failureStatus, tags, storeTimeLimit, timeout);
    }

    /// <summary>Adds the same check for the services of one type alone.</summary>
    /// <typeparam name="TService">An <see cref="ExclusiveBackgroundService"/> or <see cref="ExclusivePeriodicService"/> that is registered.</typeparam>
    /// <param name="builder">The health checks of the host.</param>
    /// <param name="name">The name of the check. Null, the default, for <c>coordination:</c> and the name of the type.</param>
    /// <param name="failureStatus">What it reports as its failure.</param>
    /// <param name="tags">Tags to choose the check by.</param>
    /// <param name="storeTimeLimit">How long the store has to reply.</param>
    /// <param name="timeout">How long the check may take.</param>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A duration is not in its range.</exception>
    public static IHealthChecksBuilder AddCoordinationHealthCheck<TService>(
        this IHealthChecksBuilder builder,
        string? name = null,
        HealthStatus? failureStatus = null,
        IEnumerable<string>? tags = null,
        TimeSpan? storeTimeLimit = null,
        TimeSpan? timeout = null)
        where TService : class =>
        AddOf(builder, name ?? $"coordination:{typeof(TService).Name}", new ServiceChoice(typeof(TService)), failureStatus, tags, storeTimeLimit, timeout);

    /// <summary>
    /// Adds a check of whether this node takes part, for a readiness probe: healthy while every service has started and has not stopped and has led or stood in the queue of its lock once, or has been a member of those that share its partitions once, all
    /// work that is run once is done, and locks can be acquired; else <paramref name="failureStatus"/>, with the reasons.
    /// </summary>
    /// <remarks>
    /// <para>A deployment that stops an old node when a new one is ready stops it when the lock can pass to the new one: for what that is worth see <see cref="ExclusiveServiceOptions.Rank"/>. A node
    /// that prepares its first term (<see cref="ExclusiveBackgroundService{TPrepared}"/>) is not ready meanwhile, nor after it failed to, until it succeeds. Nothing here limits how long that takes: have the
    /// preparation limit itself, and not wait for anything that needs this node to be ready.</para>
    /// <para>Once a service has taken part it does so until the host stops, whatever it does, such as to stay away after a failure or to prepare another term. One that may not lead, by
    /// <see cref="ExclusiveServiceOptions.CanLead"/> or <see cref="NodeDrain"/>, takes part, and so does one that waits until nodes with another number of leaders have gone. A node that cannot name the partitions of a
    /// <see cref="PartitionedBackgroundService"/> yet is no member of it, and not ready. A periodic service stands in no
    /// queue between its slots: it takes part when it has started.</para>
    /// </remarks>
    /// <param name="builder">The health checks of the host.</param>
    /// <param name="name">The name of the check. Null, the default, for <c>coordination-ready</c>, and for <c>coordination-ready:{nodeName}</c> of a node that has a name.</param>
    /// <param name="failureStatus">What it reports as its failure.</param>
    /// <param name="tags">Tags to choose the check by. Null, the default, for <c>ready</c>.</param>
    /// <param name="storeTimeLimit">How long the store has to reply.</param>
    /// <param name="timeout">How long the check may take.</param>
    /// <param name="nodeName">The name of the node that is checked: its store and the work with its locks alone. Null, the default, for the node that has none.</param>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A duration is not in its range.</exception>
    public static IHealthChecksBuilder AddCoordinationReadyCheck(
        this IHealthChecksBuilder builder,
        string? name = null,
        HealthStatus? failureStatus = null,
        IEnumerable<string>? tags = null,
        TimeSpan? storeTimeLimit = null,
        TimeSpan? timeout = null,
        string? nodeName = null)
    {
        StoreTimeLimit.Range.Validate(nameof(storeTimeLimit), nameof(storeTimeLimit), storeTimeLimit);
        return Add(
            builder,
            name ?? NameOf("coordination-ready", nodeName),
            provider => new ReadyHealthCheck(provider.GetRequiredService<HostWork>(), new ServiceChoice(NodeName: nodeName), TroubleOf(NodeOf(provider, nodeName), storeTimeLimit)),
            failureStatus,
            tags ?? ["ready"],
            timeout);
    }

    /// <summary>
    /// Adds a check of whether this node leads in <typeparamref name="TService"/>, for a load balancer that sends to the leader: healthy on the leader,
    /// on each where several lead at a time; else <paramref name="failureStatus"/>. Of a service that is registered several times, this node has to lead in each.
    /// </summary>
    /// <typeparam name="TService">The service.</typeparam>
    /// <param name="builder">The health checks of the host.</param>
    /// <param name="name">The name of the check. Null, the default, for <c>coordination-leader:</c> and the name of the type.</param>
    /// <param name="failureStatus">What it reports as its failure.</param>
    /// <param name="tags">Tags to choose the check by. Null, the default, for <c>leader</c>.</param>
    /// <param name="timeout">How long the check may take.</param>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="timeout"/> is not in its range.</exception>
    public static IHealthChecksBuilder AddCoordinationLeaderCheck<TService>(
        this IHealthChecksBuilder builder,
        string? name = null,
        HealthStatus? failureStatus = null,
        IEnumerable<string>? tags = null,
        TimeSpan? timeout = null)
        where TService : ExclusiveBackgroundService =>
        AddLeader(builder, name ?? $"coordination-leader:{typeof(TService).Name}", new ServiceChoice(typeof(TService)), failureStatus, tags, timeout);

    /// <summary>Adds the same check for the service with one lock.</summary>
    /// <param name="builder">The health checks of the host.</param>
    /// <param name="name">The name of the check.</param>
    /// <param name="lockName">The name of the service's lock.</param>
    /// <param name="failureStatus">What it reports as its failure.</param>
    /// <param name="tags">Tags to choose the check by. Null, the default, for <c>leader</c>.</param>
    /// <param name="timeout">How long the check may take.</param>
    /// <exception cref="ArgumentNullException">An argument is null that must not be.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="timeout"/> is not in its range.</exception>
    public static IHealthChecksBuilder AddCoordinationLeaderCheck(
        this IHealthChecksBuilder builder,
        string name,
        string lockName,
        HealthStatus? failureStatus = null,
        IEnumerable<string>? tags = null,
        TimeSpan? timeout = null)
    {
        ArgumentNullException.ThrowIfNull(lockName);
        return AddLeader(builder, name, new ServiceChoice(LockName: lockName), failureStatus, tags, timeout);
    }

    private static IHealthChecksBuilder AddOf(
        IHealthChecksBuilder builder,
        string name,
        ServiceChoice choice,
        HealthStatus? failureStatus,
        IEnumerable<string>? tags,
        TimeSpan? storeTimeLimit,
        TimeSpan? timeout)
    {
        StoreTimeLimit.Range.Validate(nameof(storeTimeLimit), nameof(storeTimeLimit), storeTimeLimit);
        return Add(
            builder,
            name,
            provider =>
            {
                NodeOf(provider, choice.NodeName);
                return new CoordinationHealthCheck(provider.GetRequiredService<HostWork>(), choice, node => HealthOf(NodeOf(provider, node), storeTimeLimit));
            },
            failureStatus,
            tags,
            timeout);
    }

    private static IHealthChecksBuilder AddLeader(
        IHealthChecksBuilder builder, string name, ServiceChoice choice, HealthStatus? failureStatus, IEnumerable<string>? tags, TimeSpan? timeout) =>
        Add(builder, name, provider => new LeaderHealthCheck(provider.GetRequiredService<ExclusiveServices>(), choice), failureStatus, tags ?? ["leader"], timeout);

    private static IHealthChecksBuilder Add(
        IHealthChecksBuilder builder, string name, Func<IServiceProvider, IHealthCheck> create, HealthStatus? failureStatus, IEnumerable<string>? tags, TimeSpan? timeout)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(name);
        StoreTimeLimit.Range.Validate(nameof(timeout), nameof(timeout), timeout);

        // A host that only takes locks has no exclusive services, and a store to be asked all the same.
        ServiceParts.AddLeaderships(builder.Services);
        builder.Services.TryAddSingleton<HostWork>();
        return builder.Add(new HealthCheckRegistration(name, create, failureStatus, tags, timeout));
    }

    private static string NameOf(string check, string? nodeName) => nodeName is null ? check : $"{check}:{nodeName}";

    /// <exception cref="InvalidOperationException">There is no such node.</exception>
    private static NodeServices NodeOf(IServiceProvider provider, string? nodeName)
    {
        var node = new NodeServices(provider, nodeName);
        return nodeName is null || node.Get<ILockProvider>() is not null
            ? node
            : throw new InvalidOperationException($"The health check is for the node '{nodeName}', and there is none of that name. Call services.AddCoordination(\"{nodeName}\").");
    }

    private static NodeHealth HealthOf(NodeServices node, TimeSpan? timeLimit) => new(node.GetRequired<ILockProvider>().NodeId, TroubleOf(node, timeLimit), node.Get<NodeDrain>());

    private static StoreTrouble TroubleOf(NodeServices node, TimeSpan? timeLimit) => new(
        node.GetRequired<ILockStore>(),
        node.GetRequired<ILockStoreAdministration>(),
        node.GetRequired<StoreCondition>(),
        node.GetShared<TimeProvider>(),
        timeLimit ?? StoreTimeLimit.OfHealthCheck);
}
