namespace Coordination;

/// <summary>How the leases of one lock differ from the node's defaults in <see cref="CoordinationOptions"/>.</summary>
public sealed record LockOptions
{
    /// <summary>
    /// How long a grant lasts with no renewal: 100 ms to 1 day. Null, the default, for <see cref="CoordinationOptions.LeaseDuration"/>.
    /// Renewal interval and safety margin keep their proportions to it. Nodes may use different values for the same lock; the holder's counts.
    /// </summary>
    public TimeSpan? LeaseDuration { get; init; }

    /// <summary>
    /// How long after its grant a lease is renewed at most; it is lost when the deadline after the last renewal comes. Greater than
    /// zero, at most 365 days. Null, the default, for as long as it is not released.
    /// </summary>
    public TimeSpan? MaxHold { get; init; }

    /// <summary>
    /// How long the holder may go without <see cref="ILease.ReportProgress"/>, counted from the grant and from each report: while it is longer, the lease is not renewed, and it
    /// is lost, by <see cref="LeaseLossReason.NoProgress"/>, when the deadline after the last renewal comes. Greater than zero, at most 365 days. Null, the default, for work
    /// that reports nothing.
    /// </summary>
    /// <remarks>
    /// <para>For work that may hang while its process runs on: another holds the lock within this time and the lease duration. A report that comes before the loss makes the
    /// renewals go on.</para>
    /// <para>Set it to several times what the longest step between two reports takes. Work that hangs goes on hanging: the loss cancels its token, and does not end it.</para>
    /// </remarks>
    public TimeSpan? ProgressTimeout { get; init; }

    /// <summary>
    /// Whether to prefer throughput to order: a lock that is released becomes free, and goes to whoever asks first, before those
    /// who wait. The first of them is told, and may find it held again. False, the default, for fair: a released lock passes
    /// straight to the first waiter, and nobody overtakes.
    /// </summary>
    /// <remarks>Of use where the same node takes a lock again and again. Waiters may starve. To be the same for all who use the lock.</remarks>
    public bool AllowBarging { get; init; }

    /// <summary>
    /// How long after its grant a lock stays held at least: when its last lease is released earlier, it is granted to nobody for the rest,
    /// not even to the same owner. Greater than zero, at most 1 day. Null, the default, for not at all. For jobs that are shorter than
    /// the difference between the clocks that start them, and against restart storms.
    /// </summary>
    /// <remarks>Counts for leases that are released. A holder that dies keeps the lock for the rest of its lease, whether that is longer or shorter.</remarks>
    public TimeSpan? LockAtLeastFor { get; init; }

    /// <summary>
    /// What this node says of itself with each lease and each wait, to those who look at the lock: an address, a version. The store keeps it with the grant, in the same step. At most
    /// 1,024 bytes of UTF-8, without control characters. Null, the default, or empty for nothing.
    /// </summary>
    /// <remarks>No secret: whoever can look at the lock reads it. Each request for the lock carries it, renewals included.</remarks>
    public string? Note { get; init; }

    /// <summary>
    /// How much this node is to be preferred as the holder, such as the number of its version. It is shown to those who look at the lock, and orders no
    /// queue: a holder that is to make way looks at it.
    /// </summary>
    /// <value>
    /// Any number; zero by default. <see cref="long.MinValue"/> is that of a node that is to be preferred to nobody: an <c>ExclusiveBackgroundService</c> states it while its work fails,
    /// and is refused with it as a setting.
    /// </value>
    public long Rank { get; init; }
}
