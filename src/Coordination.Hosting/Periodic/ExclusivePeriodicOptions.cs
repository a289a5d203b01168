namespace Coordination;

/// <summary>
/// The settings of one registration of an <see cref="ExclusivePeriodicService"/>, checked when the host starts. Bound from the section
/// <c>Coordination:Services:{name}</c> of the configuration, as <see cref="ExclusiveServiceOptions"/>.
/// </summary>
public sealed class ExclusivePeriodicOptions
{
    /// <summary>
    /// The name of the lock; nodes that share it share the work. Null, the default, for that of <see cref="ExclusiveLockAttribute"/>, and without one
    /// <c>{application}/{type}</c>, as for <see cref="ExclusiveServiceOptions.LockName"/>.
    /// </summary>
    public string? LockName { get; set; }

    /// <summary>How leases of this lock differ from the node's defaults. Null, the default, for not at all.</summary>
    public LockOptions? LockOptions { get; set; }

    /// <summary>How often it is run in the cluster. To be the same on every node.</summary>
    /// <value>1 s to 180 days. To be set: there is no default.</value>
    public TimeSpan Interval { get; set; }

    /// <summary>How much later than the start of its slot a run begins at most, so that services of one interval do not all begin at once.</summary>
    /// <value>Zero, which is the default, to less than <see cref="Interval"/>.</value>
    /// <remarks>How much it is differs from slot to slot, and is the same on every node.</remarks>
    public TimeSpan Jitter { get; set; }

    /// <summary>Whether another node repeats a run whose node died, lost its lease or was stopped before it had finished.</summary>
    /// <value>True by default. False for work that must not be done twice, not even in part.</value>
    public bool RecoverInterrupted { get; set; } = true;
}
