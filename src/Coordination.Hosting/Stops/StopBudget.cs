namespace Coordination.Hosting.Stops;

/// <summary>
/// Whether a host stops in the time that its platform gives it before it kills the process: its services within the shutdown timeout, and after that the releases that are
/// under way still.
/// </summary>
/// <param name="ShutdownTimeout">How long the services have.</param>
/// <param name="ReleaseTimeout">How long a release may take.</param>
/// <param name="Grace">What the platform gives.</param>
internal readonly record struct StopBudget(TimeSpan ShutdownTimeout, TimeSpan ReleaseTimeout, TimeSpan Grace)
{
    /// <summary>What Kubernetes gives by default.</summary>
    private static readonly TimeSpan OfKubernetes = TimeSpan.FromSeconds(30);

    /// <summary>What the host gives by default. Nobody tells whether somebody has set it.</summary>
    private static readonly TimeSpan DefaultShutdownTimeout = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);

    /// <summary>For what else a process does when it ends: the last logs, the container, the runtime.</summary>
    private static readonly TimeSpan Spare = TimeSpan.FromSeconds(2);

    /// <summary>How long the stop takes at most.</summary>
    public TimeSpan Needed => ShutdownTimeout + ReleaseTimeout + Spare;

    public bool Fits => Needed <= Grace;

    /// <summary>The longest shutdown timeout that fits.</summary>
    public TimeSpan Fitting => Grace - ReleaseTimeout - Spare is var left && left > Shortest ? left : Shortest;

    /// <summary>Whether the timeout is the host's own, which nobody chose and so may be shortened.</summary>
    public bool IsDefault => ShutdownTimeout == DefaultShutdownTimeout;

    /// <summary>What the platform gives, as it is set, or as Kubernetes has it; null where nobody knows.</summary>
    public static TimeSpan? GraceOf(TimeSpan? configured, bool isInKubernetes) => configured ?? (isInKubernetes ? OfKubernetes : null);
}
