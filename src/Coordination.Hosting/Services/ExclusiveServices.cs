using Coordination.DependencyInjection;
using Coordination.Hosting.Eligibility;
using Coordination.Hosting.Execution;
using Coordination.Hosting.Leadership;
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
        IServiceProvider services)
    {
        foreach (var registration in registrations)
        {
            var own = options.Get(registration.Name);
            _all.Add(Create(registration, own, WorkNode.Find<ExclusiveServiceOptions>(services, own.Node, registration.Name)));
        }

        foreach (var service in _all)
        {
            service.Node.GetRequired<NodeDrain>().Add(service.Switch, service.Leadership.LockName);

            // Made afresh, and not the monitor's: all else stays as it was at the start.
            services.GetRequiredService<ConfigurationReloads>().Add(
                () => service.Switch.SetOption(services.GetRequiredService<IOptionsFactory<ExclusiveServiceOptions>>().Create(service.Registration.Name).CanLead));
        }

        foreach (var group in _all.GroupBy(static service => (service.Node.Name, Lock: service.Lock.Name)).Where(static group => group.Skip(1).Any()))
        {
            var names = string.Join(" and ", group.Select(static service => service.Registration.Name));
            throw Invalid(
                group.First().Registration,
                $"{names} have the same lock name '{group.Key.Lock}', so that one of them would never run while the other does. Give each a LockName of its own.");
        }
    }

    public IReadOnlyList<ExclusiveService> All => _all;

    public ExclusiveService Get(ExclusiveServiceRegistration registration) => _all.Single(service => service.Registration == registration);

    /// <returns>Null when there is no service with that lock of that node.</returns>
    public ExclusiveService? FindLock(string lockName, string? node) => _all.SingleOrDefault(service => service.Lock.Name == lockName && service.Node.Name == node);

    /// <returns>Null when no service is registered under that name.</returns>
    /// <exception cref="InvalidOperationException">Several are, of one type each.</exception>
    public ExclusiveService? FindKey(string name)
    {
        var named = _all.FindAll(service => service.Registration.Key.Name == name);
        return named.Count < 2
            ? named.SingleOrDefault()
            : throw new InvalidOperationException(
                $"Several services are registered under the name '{name}', with the locks {Join(named)}. Ask by the lock's name, or for the ILeadership<TService> with the key '{name}'.");
    }

    /// <summary>The leadership of a type's registration with a name; without one, of its registration that has none, or else of its only one.</summary>
    /// <exception cref="InvalidOperationException">The service is registered under several names.</exception>
    public ILeadership<TService> GetLeadership<TService>(string? name)
        where TService : ExclusiveBackgroundService
    {
        var ofType = _all.FindAll(static service => service.Leadership is ILeadership<TService>);
        var found = ofType.Find(service => service.Registration.Key.Name == name) ?? (ofType.Count == 1 ? ofType[0] : null);
        return (ILeadership<TService>?)found?.Leadership
            ?? throw new InvalidOperationException(
                $"{typeof(TService)} is registered under several names, with the locks {Join(ofType)}. Ask for one of them, as [FromKeyedServices(\"name\")] ILeadership.");
    }

    private static string Join(IEnumerable<ExclusiveService> services) => string.Join(", ", services.Select(static service => $"'{service.Lock.Name}'"));

    private static ExclusiveService Create(
        ExclusiveServiceRegistration registration,
        ExclusiveServiceOptions options,
        NodeServices node)
    {
        var settings = node.GetOptions<CoordinationOptions>();
        var locks = node.GetRequired<ILockProvider>();
        var time = node.GetShared<TimeProvider>();
        var canLead = new LeadSwitch(options.CanLead);
        var lockOptions = LockOptionsOf(options);
        try
        {
            var name = options.LockName ?? ServiceLockName.Find(registration.Key, settings.ApplicationName);
            var @lock = Get(lockOptions);
            var timings = LeaseTimings.Of(settings, options.LockOptions);
            return new ExclusiveService(
                registration,
                options,
                node,
                @lock,
                Get((lockOptions ?? new LockOptions()) with { Rank = ExclusiveService.AbstainingRank }),
                timings.Duration,
                new OverdueRule(options.OverdueAfter ?? timings.SafetyMargin, options.OverdueWarningInterval, options.OnOverdue),
                canLead,
                registration.CreateLeadership(@lock.Name, locks.NodeId, node.GetRequired<LeaderQuestions>(), timings.Duration, options.Instances, canLead, time),
                lockOptions,
                new ServiceFailures(options.MaxRestartDelay + options.RestartDelayResetAfter, time));

            ILock Get(LockOptions? lockOptions) => (options.Instances == 1 ? locks.GetLock(name, lockOptions) : locks.GetSemaphore(name, options.Instances, lockOptions)).AsStandby();
        }
        catch (ArgumentException exception)
        {
            throw Invalid(registration, $"{registration.Name}: {exception.Message}");
        }
        catch (NotSupportedException exception)
        {
            throw Invalid(registration, $"{registration.Name}: Instances is {options.Instances}. Set 1, or choose another store: {exception.Message}");
        }
    }

    /// <summary>What a service says of its lock by settings of its own comes before what its options for the lock say.</summary>
    private static LockOptions? LockOptionsOf(ExclusiveServiceOptions options) =>
        (options.ProgressTimeout, options.Note, options.Rank) is (null, null, null) ? options.LockOptions : (options.LockOptions ?? new LockOptions()) with
        {
            ProgressTimeout = options.ProgressTimeout ?? options.LockOptions?.ProgressTimeout,
            Note = options.Note ?? options.LockOptions?.Note,
            Rank = options.Rank ?? options.LockOptions?.Rank ?? 0,
        };

    private static OptionsValidationException Invalid(ExclusiveServiceRegistration registration, string failure) =>
        new(registration.Name, typeof(ExclusiveServiceOptions), [failure]);
}
