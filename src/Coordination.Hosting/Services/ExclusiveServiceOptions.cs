namespace Coordination;

/// <summary>
/// The settings of one registration of an <see cref="ExclusiveBackgroundService"/>, checked when the host starts.
/// </summary>
/// <remarks>
/// What is to hold for all of them goes into <c>services.ConfigureAll&lt;ExclusiveServiceOptions&gt;(…)</c> before they are registered,
/// or <c>PostConfigureAll</c> after.
/// </remarks>
public sealed class ExclusiveServiceOptions
{
    /// <summary>
    /// The name of the lock, as <see cref="ILockProvider.GetLock"/> takes it; nodes that share it share the work. Null, the default, for
    /// that of <see cref="ExclusiveLockAttribute"/>, and without one <c>{application}/{type}</c>, of <see cref="CoordinationOptions.ApplicationName"/> and the full name of the
    /// type. A name that is set is shared by all applications with the same key prefix. Within a host each registration needs a name of its own.
    /// </summary>
    public string? LockName { get; set; }

    /// <summary>How leases of this lock differ from the node's defaults: lease duration, longest hold. Null, the default, for not at all.</summary>
    public LockOptions? LockOptions { get; set; }

    /// <summary>What follows a term whose work returned by itself. <see cref="AfterCompletion.Pause"/> by default.</summary>
    public AfterCompletion AfterCompletion { get; set; } = AfterCompletion.Pause;

    /// <summary>
    /// How long the node stays away after a term whose work returned by itself, with <see cref="AfterCompletion.Pause"/>: greater
    /// than zero, up to 49 days; 5 s by default.
    /// </summary>
    public TimeSpan CompletionPause { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// The shortest time that the node stays away after its work threw, or the store refused: 10 ms to 1 day; 1 s by
    /// default. The lock is free during that time. It doubles with each failure in a row, with jitter of up to twice.
    /// </summary>
    public TimeSpan MinRestartDelay { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest time that the node stays away after a failure: from <see cref="MinRestartDelay"/> to 1 day; 1 minute by default.</summary>
    public TimeSpan MaxRestartDelay { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// How long a term must have run for a failure to count as the first again: greater than zero, up to 49 days; 1 minute by default.
    /// A term that does not end by a failure has the same effect.
    /// </summary>
    public TimeSpan RestartDelayResetAfter { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// How long after its lease was lost the work may take to return before it is overdue: zero to 49 days. Null, the default, for the
    /// safety margin of the lease, which is when another node may lead.
    /// </summary>
    public TimeSpan? OverdueAfter { get; set; }

    /// <summary>How often overdue work is warned of, after the first warning: 100 ms to 49 days; 10 s by default.</summary>
    public TimeSpan OverdueWarningInterval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Whether overdue work stops the host: the end of the process is the one sure end of work that ignores its token. False by
    /// default. Have something start the process again.
    /// </summary>
    public bool StopHostWhenOverdue { get; set; }
}
