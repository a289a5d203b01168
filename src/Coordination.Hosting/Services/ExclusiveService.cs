using Coordination.DependencyInjection;
using Coordination.Hosting.Eligibility;
using Coordination.Hosting.Execution;
using Coordination.Hosting.Leadership;

namespace Coordination.Hosting.Services;

/// <summary>A registered service with all that was worked out for it: its settings, its lock, and what this node knows of its leadership and its failures.</summary>
internal sealed record ExclusiveService(
    ExclusiveServiceRegistration Registration,
    ExclusiveServiceOptions Options,
    NodeServices Node,
    ILock Lock,
    TimeSpan LeaseDuration,
    OverdueRule Overdue,
    LeadSwitch Switch,
    ServiceLeadership Leadership,
    LockOptions? LockOptions,
    ServiceFailures Failures);
