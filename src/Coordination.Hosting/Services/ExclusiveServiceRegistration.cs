using Coordination.Hosting.Eligibility;
using Coordination.Hosting.Leadership;

namespace Coordination.Hosting.Services;

/// <summary>One call of <c>AddExclusiveBackgroundService</c>.</summary>
/// <param name="key">Tells this registration from the others of the host.</param>
internal abstract class ExclusiveServiceRegistration(ServiceKey key)
{
    public ServiceKey Key => key;

    /// <summary>What errors call it, and the name of its options.</summary>
    public string Name => key.OptionsName;

    public Type ServiceType => key.Type;

    /// <exception cref="InvalidOperationException">The application registered the type, and not as a singleton.</exception>
    public abstract ExclusiveBackgroundService GetService(IServiceProvider services);

    public abstract ServiceLeadership CreateLeadership(string lockName, string nodeId, LeaderQuestions questions, TimeSpan leaseDuration, int instances, LeadSwitch canLead, TimeProvider time);
}

internal sealed class ExclusiveServiceRegistration<TService>(ServiceKey key, ServiceInstance<TService> instance) : ExclusiveServiceRegistration(key)
    where TService : ExclusiveBackgroundService
{
    public override ExclusiveBackgroundService GetService(IServiceProvider services) => instance.Get(services);

    public override ServiceLeadership CreateLeadership(string lockName, string nodeId, LeaderQuestions questions, TimeSpan leaseDuration, int instances, LeadSwitch canLead, TimeProvider time) =>
        new ServiceLeadership<TService>(lockName, nodeId, questions, leaseDuration, instances, canLead, time);
}
