namespace Coordination.Hosting.Leadership;

internal sealed class ServiceLeadership<TService>(string lockName, string nodeId, LeaderQuestions questions, TimeSpan leaseDuration, int instances, TimeProvider time)
    : ServiceLeadership(lockName, nodeId, questions, leaseDuration, instances, time), ILeadership<TService>
    where TService : ExclusiveBackgroundService;
