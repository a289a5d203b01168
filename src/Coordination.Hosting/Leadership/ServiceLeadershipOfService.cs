namespace Coordination.Hosting.Leadership;

internal sealed class ServiceLeadership<TService>(string lockName, string nodeId, LeaderQuestions questions, TimeSpan leaseDuration, TimeProvider time)
    : ServiceLeadership(lockName, nodeId, questions, leaseDuration, time), ILeadership<TService>
    where TService : ExclusiveBackgroundService;
