using Coordination.DependencyInjection;
using Coordination.Hosting.Eligibility;
using Coordination.Hosting.Execution;
using Coordination.Hosting.Leadership;

namespace Coordination.Hosting.Services;

/// <summary>A registered service with all that was worked out for it: its settings, its lock, and what this node knows of its leadership and its failures.</summary>
/// <param name="Registration">The registration.</param>
/// <param name="Options">Its settings.</param>
/// <param name="Node">The node whose lock it is.</param>
/// <param name="Lock">The lock.</param>
/// <param name="AbstainingLock">The same lock, for a node that is to be preferred to nobody as the leader.</param>
/// <param name="LeaseDuration">How long a lease of it lasts.</param>
/// <param name="Overdue">What is done about work that goes on after a loss.</param>
/// <param name="Switch">Whether this node may lead.</param>
/// <param name="Leadership">What is known of who leads.</param>
/// <param name="LockOptions">How its leases differ from the node's defaults; null for not at all.</param>
/// <param name="Failures">Those in a row.</param>
internal sealed record ExclusiveService(
    ExclusiveServiceRegistration Registration,
    ExclusiveServiceOptions Options,
    NodeServices Node,
    ILock Lock,
    ILock AbstainingLock,
    TimeSpan LeaseDuration,
    OverdueRule Overdue,
    LeadSwitch Switch,
    ServiceLeadership Leadership,
    LockOptions? LockOptions,
    ServiceFailures Failures)
{
    /// <summary>The rank of a node that is to be preferred to nobody, also where it is preferred by its name.</summary>
    public const long AbstainingRank = long.MinValue;

    /// <summary>The rank that this node has while it does not abstain.</summary>
    public long Rank => LockOptions?.Rank ?? 0;

    /// <summary>Whether it is set which nodes are preferred as the leader.</summary>
    public bool HasPreference => Options.Rank is not null || Rank != 0 || Options.PreferredNodes.Count > 0;
}
