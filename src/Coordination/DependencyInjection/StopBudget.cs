namespace Coordination.DependencyInjection;

/// <summary>
/// Whether a host whose work stops when it is told to ends before its platform kills the process: all services return within the shutdown timeout, and then what goes on
/// after them gets its time, as the releases that are still under way. Work that goes on for longer is killed with the process, and its lock passes on when the lease has run out.
/// </summary>
/// <param name="ShutdownTimeout">How long all services together have to stop: <c>HostOptions.ShutdownTimeout</c>.</param>
/// <param name="After">How long what comes after them takes: <see cref="CoordinationOptions.ReleaseTimeout"/> of each node, and each <see cref="StopTime"/>.</param>
/// <param name="Grace">How long the platform waits before it kills the process.</param>
internal readonly record struct StopBudget(TimeSpan ShutdownTimeout, TimeSpan After, TimeSpan Grace)
{
    /// <summary>What Kubernetes gives by default.</summary>
    private static readonly TimeSpan OfKubernetes = TimeSpan.FromSeconds(30);

    /// <summary>What .NET's host gives by default. Whether somebody set it to the same value cannot be told.</summary>
    private static readonly TimeSpan DefaultShutdownTimeout = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);

    /// <summary>For what else a process does when it ends: it writes its last logs, and disposes its container.</summary>
    private static readonly TimeSpan Spare = TimeSpan.FromSeconds(2);

    /// <summary>How long such a stop takes at most; null for a host that waits for its services without an end.</summary>
    public TimeSpan? Needed => DurationRange.Timeout.Contains(ShutdownTimeout) && ShutdownTimeout != Timeout.InfiniteTimeSpan ? ShutdownTimeout + After + Spare : null;

    public bool Fits => Needed <= Grace;

    /// <summary>The longest shutdown timeout that fits, and never less than a second.</summary>
    public TimeSpan Fitting => Grace - After - Spare is var left && left > Shortest ? left : Shortest;

    /// <summary>Whether the timeout is the host's own, which nobody chose and so may be shortened.</summary>
    public bool IsDefault => ShutdownTimeout == DefaultShutdownTimeout;

    /// <summary>How long the platform waits: what was configured, else in Kubernetes its default; null elsewhere, where nobody knows.</summary>
    public static TimeSpan? GraceOf(TimeSpan? configured, bool isInKubernetes) => configured ?? (isInKubernetes ? OfKubernetes : null);
}
