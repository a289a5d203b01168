using Coordination.DependencyInjection;
using Coordination.Hosting.Eligibility;
using Coordination.Hosting.Execution;
using Coordination.Hosting.Services;

namespace Coordination.Hosting.Periodic;

/// <summary>A registered periodic service with all that was worked out for it.</summary>
/// <param name="key">What was registered, and under which name.</param>
/// <param name="node">The node that has its lock.</param>
/// <param name="lockName">Its lock.</param>
/// <param name="options">Its settings.</param>
/// <param name="timings">Those of its leases.</param>
/// <param name="work">What it does.</param>
/// <param name="time">The clock.</param>
internal sealed class PeriodicService(ServiceKey key, NodeServices node, string lockName, ExclusivePeriodicOptions options, LeaseTimings timings, ExclusivePeriodicService work, TimeProvider time)
{
    private const int IntervalsOfMemory = 10;

    private static readonly TimeSpan LongestMemory = TimeSpan.FromDays(366);

    public Type Type => key.Type;

    /// <summary>What log lines call it.</summary>
    public string Name => key.DisplayName;

    public NodeServices Node => node;

    public string LockName => lockName;

    /// <summary>What tells its slots from those of another service that shares its lock. As for the name of the lock, not the full name of the type, which may have a version in it.</summary>
    public string Series { get; } = key.Name is null ? $"periodic/{key.Type}" : $"periodic/{key.Type}/{key.Name}";

    public ExclusivePeriodicOptions Options => options;

    public TimeSpan LeaseDuration => timings.Duration;

    public ExclusivePeriodicService Work => work;

    public PeriodicSchedule Schedule { get; } = new(lockName, options.Interval, options.Jitter);

    public OverdueRule Overdue { get; } = new(options.OverdueAfter ?? timings.SafetyMargin, options.OverdueWarningInterval, options.OnOverdue);

    public ServiceFailures Failures { get; } = new(IntervalsOfMemory * options.Interval, time);

    /// <summary>Those of all nodes, as far as this one knows.</summary>
    public ClusterFailures ClusterFailures { get; } = new(IntervalsOfMemory * options.Interval, Math.Max(options.DegradedAfterFailures, options.UnhealthyAfterFailures), time);

    /// <summary>How the last run of a slot ended on this node; null for none yet.</summary>
    public PeriodicRunEnd? LastEnd { get; set; }

    public WorkStatus Status { get; } = new();

    /// <summary>Whether a slot may begin on this node.</summary>
    public LeadSwitch Switch { get; } = new(canLead: true);

    /// <summary>How long the store remembers a run: as long as another node may ask for it, also one whose clock is behind.</summary>
    public TimeSpan RememberFor { get; } = options.Interval < TimeSpan.FromHours(12)
        ? TimeSpan.FromDays(1)
        : (2 * options.Interval < LongestMemory ? 2 * options.Interval : LongestMemory);
}
