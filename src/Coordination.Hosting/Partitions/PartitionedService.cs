using System.Collections.Concurrent;
using Coordination.DependencyInjection;
using Coordination.Hosting.Eligibility;
using Coordination.Hosting.Execution;
using Coordination.Hosting.Services;

namespace Coordination.Hosting.Partitions;

/// <summary>A registered partitioned service with all that was worked out for it, and what its node knows of it at a moment: written by what runs the service, read by everybody.</summary>
/// <param name="key">What was registered, and under which name.</param>
/// <param name="node">The node that has its locks.</param>
/// <param name="locks">Their names.</param>
/// <param name="options">Its settings.</param>
/// <param name="timings">Those of its leases.</param>
/// <param name="work">What it does.</param>
internal sealed class PartitionedService(
    ServiceKey key, NodeServices node, PartitionLockNames locks, PartitionedServiceOptions options, LeaseTimings timings, PartitionedBackgroundService work)
{
    private volatile PartitionView _view = PartitionView.None;
    private volatile PartitionNaming _naming = PartitionNaming.None;
    private volatile bool _hasJoined;
    private volatile int _phase = (int)WorkPhase.NotStarted;

    public Type Type => key.Type;

    /// <summary>What log lines call it.</summary>
    public string Name => key.DisplayName;

    public NodeServices Node => node;

    public PartitionLockNames Locks => locks;

    public PartitionedServiceOptions Options => options;

    /// <summary>How the locks of the partitions differ from the node's defaults; null for not at all. What the service says by a setting of its own comes before what its options for the lock say.</summary>
    public LockOptions? LockOptions { get; } = LockOptionsOf(options);

    public TimeSpan LeaseDuration => timings.Duration;

    public TimeSpan SafetyMargin => timings.SafetyMargin;

    public PartitionedBackgroundService Work => work;

    /// <summary>Whether this node may lead.</summary>
    public LeadSwitch Switch { get; } = new(options.CanLead);

    /// <summary>The name of its settings.</summary>
    public string OptionsName => key.OptionsName;

    public OverdueRule Overdue { get; } = new(options.OverdueAfter ?? timings.SafetyMargin, options.OverdueWarningInterval, options.OnOverdue);

    /// <summary>What this node does for each partition that it leads, waits for or stays away from.</summary>
    public ConcurrentDictionary<string, PartitionRun> Runs { get; } = new(StringComparer.Ordinal);

    /// <summary>Who shares what, as this node saw it last.</summary>
    public PartitionView View
    {
        get => _view;
        set => _view = value;
    }

    /// <summary>Whether it knows the names of the partitions.</summary>
    public PartitionNaming Naming
    {
        get => _naming;
        set => _naming = value;
    }

    /// <inheritdoc cref="LockOptions"/>
    public static LockOptions? LockOptionsOf(PartitionedServiceOptions options) =>
        (options.ProgressTimeout, options.Note) is (null, null) ? options.LockOptions : (options.LockOptions ?? new LockOptions()) with
        {
            ProgressTimeout = options.ProgressTimeout ?? options.LockOptions?.ProgressTimeout,
            Note = options.Note ?? options.LockOptions?.Note,
        };

    /// <summary>Whether it has taken its place once since the start: as a member, or outside, where it is to stay.</summary>
    public bool HasJoined => _hasJoined;

    public void Join() => _hasJoined = true;

    /// <summary>Whether it has not started, waits to take part, takes part, or has stopped.</summary>
    public WorkPhase Phase
    {
        get => (WorkPhase)_phase;
        set => _phase = (int)value;
    }
}
