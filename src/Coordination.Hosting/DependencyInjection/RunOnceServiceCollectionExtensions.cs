using Coordination;
using Coordination.Hosting.RunOnce;
using Coordination.Occurrences;
using Coordination.Telemetry;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers work that is done once in the cluster.</summary>
public static class RunOnceServiceCollectionExtensions
{
    private static readonly DurationRange RememberFor = DurationRange.Between(TimeSpan.FromMinutes(1), TimeSpan.FromDays(366));

    /// <summary>
    /// Adds work that one node of the cluster does once, before its host counts as started; the others wait until it is done, and find it done later. For a
    /// migration of a schema, or the first fill of a table.
    /// </summary>
    /// <remarks>
    /// <para>Done stays done for the name: put a version into it, as "schema-2026-11". The store remembers it for <see cref="RunOnceOptions.RememberFor"/>; a node that
    /// starts later than that does it again, and so does every node after a store lost its data. Work that must not be done again has to find out by itself.</para>
    /// <para>If a node dies in the middle, another one does it over: <see cref="RunOnceContext.IsRecovery"/> says so. If the work throws, the start of its host
    /// fails with the exception, and another node tries. With the store away the host waits.</para>
    /// <para>Steps are done in the order of their registration, before any hosted service starts. Needs <c>services.AddCoordination(…)</c> with a store, in any order.</para>
    /// </remarks>
    /// <param name="services">The services of the host.</param>
    /// <param name="name">What it is called, the same on every node. It is shared by all that use the same key prefix.</param>
    /// <param name="work">The work. Its token is cancelled when the start of the host is, and when the lease is lost.</param>
    /// <param name="configure">Sets the options; null for the defaults.</param>
    /// <exception cref="ArgumentNullException"><paramref name="services"/>, <paramref name="name"/> or <paramref name="work"/> is null.</exception>
    /// <exception cref="ArgumentException">The name is not one that a lock may have, or a setting is out of its range.</exception>
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
        LockName.Validate(RunOnceStep.LockNameOf(name));
        var options = new RunOnceOptions();
        configure?.Invoke(options);
        RememberFor.Validate(nameof(configure), nameof(options.RememberFor), options.RememberFor);
        if (services.Any(descriptor => descriptor.ServiceType == typeof(RunOnceStep) && Equals(descriptor.ServiceKey, name)))
        {
            throw new InvalidOperationException($"The work '{name}' is registered already. Give each its own name.");
        }

        services.AddKeyedSingleton(name, (provider, _) => new RunOnceStep(
            provider.GetRequiredService<ILockProvider>().GetLock(RunOnceStep.LockNameOf(name), options.LockOptions),
            name,
            work,
            options,
            provider.GetRequiredService<OccurrenceLocks>(),
            provider.GetRequiredService<ILockProvider>().NodeId,
            provider.GetRequiredService<IServiceScopeFactory>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<TelemetryDispatcher>().Wrap(provider.GetRequiredService<ILogger<RunOnceContext>>())));
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredKeyedService<RunOnceStep>(name));
        return services;
    }
}
