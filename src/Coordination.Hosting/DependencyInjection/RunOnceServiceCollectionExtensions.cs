using Coordination;
using Coordination.Hosting.DependencyInjection;
using Coordination.Hosting.Execution;
using Coordination.Hosting.Runners;
using Coordination.Hosting.RunOnce;
using Coordination.Hosting.Services;
using Coordination.Hosting.Telemetry;
using Coordination.Occurrences;
using Coordination.Telemetry;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers work that is done once in the cluster.</summary>
public static class RunOnceServiceCollectionExtensions
{
    /// <summary>
    /// Adds work that one node of the cluster does once, before its host counts as started; the others wait until it is done, and find it done later. For a
    /// migration of a schema, or the first fill of a table.
    /// </summary>
    /// <remarks>
    /// <para>Done stays done for the name: put a version into it, as "schema-2026-11". The store remembers it for <see cref="RunOnceOptions.RememberFor"/>; a node that
    /// starts later than that does it again, and so does every node after a store lost its data. Work that must not be done again has to find out by itself.</para>
    /// <para>If a node dies in the middle, another one does it over: <see cref="RunOnceContext.IsRecovery"/> says so. If the work throws, the start of its host
    /// fails with the exception, and another node tries. With the store away the host waits, for as long as its <see cref="HostOptions.StartupTimeout"/> lets it.</para>
    /// <para>Work that was told to stop is not done, also where it returns without an exception: it may have returned early. Another node does it over. A host
    /// that is told to stop while it starts ends without an error; one whose start is cancelled otherwise, as by its start-up timeout, does not start.</para>
    /// <para>A web server listens after it, so that no request meets work that is not done: until then no probe gets a reply. In a web application that is told to stop meanwhile, Kestrel, which
    /// then begins to listen with the cancelled token of the start, throws an <see cref="OperationCanceledException"/> out of the run of the host: catch it where the host is to stop, or do
    /// such work in a process of its own.</para>
    /// <para>Settings come from the section <c>Coordination:RunOnce:{name}</c> of the configuration, then from code. They are checked when the host starts, which fails with an
    /// <see cref="OptionsValidationException"/> when one is out of its range.</para>
    /// <para>What is registered several times is done one after another, in the order of the registrations, and before <see cref="IHostedService.StartAsync"/> of any
    /// service, also with <see cref="HostOptions.ServicesStartConcurrently"/>. <see cref="IHostedLifecycleService.StartingAsync"/> of another service may
    /// come before it, and with that option beside it. Needs <c>services.AddCoordination(…)</c> with a store, in any order.</para>
    /// </remarks>
    /// <param name="services">The services of the host.</param>
    /// <param name="name">What it is called, the same on every node: not empty, and with no colon. It is shared by all that use the same key prefix.</param>
    /// <param name="work">
    /// The work. Its token is cancelled when the start of the host is, and when the lease is lost. Work that returns after that counts as not done.
    /// </param>
    /// <param name="configure">Sets the options; null for the defaults.</param>
    /// <exception cref="ArgumentNullException"><paramref name="services"/>, <paramref name="name"/> or <paramref name="work"/> is null.</exception>
    /// <exception cref="ArgumentException">The name is empty, has a colon, or is not one that a lock may have.</exception>
    /// <exception cref="InvalidOperationException">The name is registered already.</exception>
    /// <example>
    /// <code>
    /// services.AddRunOnce("schema-2026-11", async (run, cancellationToken) =>
    ///     await run.Services.GetRequiredService&lt;ShopContext&gt;().Database.MigrateAsync(cancellationToken));
    /// </code>
    /// </example>
    public static IServiceCollection AddRunOnce(
        this IServiceCollection services,
        string name,
        Func<RunOnceContext, CancellationToken, Task> work,
        Action<RunOnceOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(work);
        var registered = new RunOnceWork(ServiceKey.ValidateName(name), work);
        LockName.Validate(registered.LockName);
        if (services.Any(descriptor => descriptor.ServiceType == typeof(RunOnceWork) && Equals(descriptor.ServiceKey, name)))
        {
            throw new InvalidOperationException($"The work '{name}' is registered already. Give each its own name.");
        }

        RunnerServices.Add(services);
        AddOptions(services, registered, configure);
        services.AddKeyedSingleton(name, registered);
        services.AddSingleton(registered);
        services.AddSingleton(provider => CreateStep(provider, registered));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, RunOnceSteps>());
        return services;
    }

    private static void AddOptions(IServiceCollection services, RunOnceWork work, Action<RunOnceOptions>? configure)
    {
        var options = ServiceParts.AddOptions<RunOnceOptions, RunOnceOptionsBinding>(services, RunOnceWork.Section, work.SectionPath, work.LockName);
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<RunOnceOptions>, RunOnceOptionsValidator>());
        if (configure is not null)
        {
            options.Configure(configure);
        }
    }

    private static RunOnceStep CreateStep(IServiceProvider provider, RunOnceWork work)
    {
        var options = provider.GetRequiredService<IOptionsMonitor<RunOnceOptions>>().Get(work.LockName);
        var node = WorkNode.Find<RunOnceOptions>(provider, options.Node, work.LockName);
        var locks = node.GetRequired<ILockProvider>();
        var time = provider.GetRequiredService<TimeProvider>();
        var lifetime = provider.GetService<IHostApplicationLifetime>();
        var logger = provider.GetRequiredService<TelemetryDispatcher>().Wrap(provider.GetRequiredService<ILogger<RunOnceContext>>());
        var log = new ServiceLog(logger, work.Name, work.LockName);

        // What a lock may not be, is said at the start.
        locks.GetLock(work.LockName, options.LockOptions);
        var timings = LeaseTimings.Of(node.GetOptions<CoordinationOptions>(), options.LockOptions);
        var overdue = new OverdueRule(options.OverdueAfter ?? timings.SafetyMargin, options.OverdueWarningInterval, options.OnOverdue);
        var watch = new OverdueWatch(overdue, lifetime, provider.GetRequiredService<ProcessEnd>(), time, log);
        var leased = new LeasedWork(provider.GetRequiredService<IServiceScopeFactory>(), watch, log);
        return new RunOnceStep(work, options, leased, node.GetRequired<OccurrenceLocks>(), locks.NodeId, lifetime, time, log, logger);
    }
}
