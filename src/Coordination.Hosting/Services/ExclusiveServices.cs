using Coordination.Hosting.Execution;
using Coordination.Hosting.Leadership;
using Coordination.Stores;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Coordination.Hosting.Services;

/// <summary>All exclusive services of this host.</summary>
internal sealed class ExclusiveServices
{
    private readonly List<ExclusiveService> _all = [];

    /// <exception cref="OptionsValidationException">A name is not one that a lock may have, or two services have the same.</exception>
    /// <exception cref="InvalidOperationException">Coordination was not added to the host.</exception>
    public ExclusiveServices(
        IEnumerable<ExclusiveServiceRegistration> registrations,
        IOptionsMonitor<ExclusiveServiceOptions> options,
        IOptions<CoordinationOptions> node,
        IServiceProvider services)
    {
        var locks = Required<ILockProvider>(services);
        var store = Required<ILockStoreAdministration>(services);
        var time = Required<TimeProvider>(services);

        foreach (var registration in registrations)
        {
            _all.Add(Create(registration, options.Get(registration.Name), node.Value, locks, store, time));
        }

        foreach (var group in _all.GroupBy(static service => service.Lock.Name, StringComparer.Ordinal).Where(static group => group.Skip(1).Any()))
        {
            var names = string.Join(" and ", group.Select(static service => service.Registration.Name));
            throw Invalid(
                group.First().Registration,
                $"{names} have the same lock name '{group.Key}', so that one of them would never run while the other does. Give each a LockName of its own.");
        }
    }

    public IReadOnlyList<ExclusiveService> All => _all;

    public ExclusiveService Get(ExclusiveServiceRegistration registration) => _all.Single(service => service.Registration == registration);

    /// <returns>Null when there is no service with that lock.</returns>
    public ServiceLeadership? GetLeadership(object? lockName) =>
        _all.SingleOrDefault(service => service.Lock.Name.Equals(lockName))?.Leadership;

    /// <exception cref="InvalidOperationException">The service is registered under several names.</exception>
    public ILeadership<TService> GetLeadership<TService>()
        where TService : ExclusiveBackgroundService
    {
        var leaderships = _all.Select(static service => service.Leadership).OfType<ILeadership<TService>>().ToList();
        return leaderships.Count == 1
            ? leaderships[0]
            : throw new InvalidOperationException(
                $"{typeof(TService)} is registered under several names: {string.Join(", ", leaderships.Select(static leadership => $"'{leadership.LockName}'"))}. "
                + "Ask for one of them, as [FromKeyedServices(\"name\")] ILeadership.");
    }

    private static ExclusiveService Create(
        ExclusiveServiceRegistration registration,
        ExclusiveServiceOptions options,
        CoordinationOptions node,
        ILockProvider locks,
        ILockStoreAdministration store,
        TimeProvider time)
    {
        try
        {
            var @lock = locks.GetLock(options.LockName ?? ServiceLockName.Find(registration.ServiceType, node.ApplicationName), options.LockOptions).AsStandby();
            var timings = LeaseTimings.Of(node, options.LockOptions);
            return new ExclusiveService(
                registration,
                options,
                @lock,
                timings.Duration,
                new OverdueRule(options.OverdueAfter ?? timings.SafetyMargin, options.OverdueWarningInterval, options.OverdueAction),
                registration.CreateLeadership(@lock.Name, locks.NodeId, store, time),
                new ServiceFailures(options.MaxRestartDelay + options.RestartDelayResetAfter, time));
        }
        catch (ArgumentException exception)
        {
            throw Invalid(registration, $"{registration.Name}: {exception.Message}");
        }
    }

    private static OptionsValidationException Invalid(ExclusiveServiceRegistration registration, string failure) =>
        new(registration.Name, typeof(ExclusiveServiceOptions), [failure]);

    private static T Required<T>(IServiceProvider services)
        where T : class =>
        services.GetService<T>()
        ?? throw new InvalidOperationException(
            $"An exclusive service needs {typeof(T).Name}, which is not registered. Call services.AddCoordination() and choose a store, such as UseRedis(…).");
}
