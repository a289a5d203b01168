namespace Coordination;

/// <summary>
/// The settings of one registration of an <see cref="ExclusivePeriodicService"/>, checked when the host starts. Bound from the section
/// <c>Coordination:Services:{name}</c> of the configuration, as <see cref="ExclusiveServiceOptions"/>.
/// </summary>
public sealed class ExclusivePeriodicOptions
{
    /// <summary>
    /// The name of the lock; nodes that share it share the work. Services of several types that share it never run at the same time, and each runs its own slots. Null, the default, for that of <see cref="ExclusiveLockAttribute"/>, and without one
    /// <c>{application}/{type}</c>, as for <see cref="ExclusiveServiceOptions.LockName"/>.
    /// </summary>
    public string? LockName { get; set; }

    /// <summary>
    /// The node whose locks it uses, where the application has several: the name that <c>services.AddCoordination("billing")</c> was given. Null, the default, for the
    /// node that has no name.
    /// </summary>
    public string? Node { get; set; }

    /// <summary>How leases of this lock differ from the node's defaults. Null, the default, for not at all.</summary>
    /// <remarks><see cref="LockOptions.MaxHold"/> is refused: it ends the renewals while the run goes on.</remarks>
    public LockOptions? LockOptions { get; set; }

    /// <summary>How often it is run in the cluster. To be the same on every node.</summary>
    /// <value>1 s to 180 days. To be set: there is no default.</value>
    public TimeSpan Interval { get; set; }

    /// <summary>How much later than the start of its slot a run begins at most, so that services of one interval do not all begin at once.</summary>
    /// <value>Zero, which is the default, to less than <see cref="Interval"/>.</value>
    /// <remarks>How much it is differs from slot to slot, and is the same on every node.</remarks>
    public TimeSpan Jitter { get; set; }

    /// <summary>Whether another node repeats a run whose node died, lost its lease or was stopped before it had finished.</summary>
    /// <value>True by default. False for work that must not be done twice, not even in part; a warning then says that nobody repeats it, and how to have the work done before the next slot.</value>
    public bool RecoverInterrupted { get; set; } = true;

    /// <summary>
    /// How long after its lease was lost a run may take to return before it is overdue: zero to 49 days. Null, the default, for the
    /// safety margin of the lease, which is when another node may run.
    /// </summary>
    public TimeSpan? OverdueAfter { get; set; }

    /// <summary>How often an overdue run is warned of, after the first warning: 100 ms to 49 days; 10 s by default.</summary>
    public TimeSpan OverdueWarningInterval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>What the node does about an overdue run, beside the warning: <see cref="OverdueAction.Warn"/>, which is nothing, by default.</summary>
    public OverdueAction OnOverdue { get; set; } = OverdueAction.Warn;

    /// <summary>
    /// After how many failures in a row the health check is degraded: 1 or more, 3 by default. A run that throws is a failure, and so is a
    /// store that refuses. They are in a row until a run on this node goes well, and until none was for ten intervals, other than in a run that
    /// then fails itself.
    /// </summary>
    /// <remarks>
    /// Counted are those on this node, and those in the cluster, as far as this node knows. It hears how a run ended on another node when that one begins its next, and not of
    /// the last one of each; and nothing asks the store for it. The row in the cluster is over with the first run that goes well, wherever it was.
    /// </remarks>
    public int DegradedAfterFailures { get; set; } = 3;

    /// <summary>After how many failures in a row, counted in the same way, the health check reports its failure status: 1 or more, 10 by default.</summary>
    public int UnhealthyAfterFailures { get; set; } = 10;

    /// <summary>After how many failures in a row on this node its host stops: 1 or more. Null, the default, for never. The
    /// process ends with exit code 1 then, where its program returns none and has set none in <see cref="Environment.ExitCode"/>. Have something start it again.</summary>
    public int? StopHostAfterFailures { get; set; }
}
