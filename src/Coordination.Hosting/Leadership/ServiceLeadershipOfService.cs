using Coordination.Hosting.Eligibility;

namespace Coordination.Hosting.Leadership;

internal sealed class ServiceLeadership<TService>(string lockName, string nodeId, LeaderQuestions questions, TimeSpan leaseDuration, int instances, LeadSwitch canLead, TimeProvider time)
    : ServiceLeadership(lockName, nodeId, questions, leaseDuration, instances, canLead, time), ILeadership<TService>
    where TService : ExclusiveBackgroundService;
