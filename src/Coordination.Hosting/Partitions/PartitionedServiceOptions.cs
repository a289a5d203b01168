namespace Coordination;

/// <summary>The settings of one registration of a <see cref="PartitionedBackgroundService"/>, checked when the host starts.</summary>
/// <remarks>
/// Bound from the section <c>Coordination:Services:{name}</c> of the configuration, of the name of the registration or, where it has none, of the type without its namespace. Code wins over
/// the configuration, and of code the last call: <c>services.Configure&lt;PartitionedServiceOptions&gt;(…)</c> counts for all such services.
/// </remarks>
public sealed class PartitionedServiceOptions
{
    /// <summary>
    /// How many partitions there are, which are called <c>0</c>, <c>1</c> and so on. The same on every node: one that changes it by a rolling update has a few partitions led by nobody
    /// until all nodes have the same number.
    /// </summary>
    /// <value>1 to 100,000. Null, the default, for those that <see cref="PartitionedBackgroundService.GetPartitionsAsync"/> names.</value>
    public int? Partitions { get; set; }

    /// <summary>How often the names of the partitions are asked for.</summary>
    /// <value>100 ms to 1 day; 30 s by default.</value>
    public TimeSpan PartitionsInterval { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How many partitions this node leads at most. Each node states its own number to the others, which count on it. Where all of them together take less than there are, the rest is led by nobody.
    /// </summary>
    /// <value>1 or more. Null, the default, for any number.</value>
    public int? MaxPerNode { get; set; }

    /// <summary>
    /// Whether this node takes part, or leaves the partitions to others: with false it is no member, and gives away those that it leads, one after the other. True by default.
    /// </summary>
    /// <remarks>
    /// Of these settings this one alone may change while the host runs, in the configuration. At run time <see cref="IPartitionedLeadership.SetCanLead"/> counts instead. For all that a node does see
    /// <see cref="NodeDrain"/>.
    /// </remarks>
    public bool CanLead { get; set; } = true;

    /// <summary>
    /// How often a node looks which nodes there are: how long it takes at most until it knows of one that came or left in order. Of one that died it knows when the lease of that has run out.
    /// </summary>
    /// <value>100 ms to 1 minute; 1 s by default.</value>
    /// <remarks>
    /// <para>It is one read of the store for each node, and all that a service in which nothing changes costs beside the renewals of its leases.</para>
    /// <para>Two waits follow from it. When a node has come, a node begins no partition that is new to it until no other one has come for this time, one second at most, and for three times as long at most. A node whose
    /// host stops works on until the others wait for its partitions, for this time and a second at most, and never for more than three seconds: with more than two seconds here a partition may be led by nobody for
    /// the rest of it after a stop. <c>HostOptions.ShutdownTimeout</c> has to leave room for that, and for the work to return.</para>
    /// </remarks>
    public TimeSpan BalanceInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// What the names of the locks begin with: <c>{name}/{partition}</c> for each partition, and <c>{name}/members</c> for the semaphore that every live node holds.
    /// Slashes, percent signs, tildes, braces and control characters of a partition are written as <c>%2F</c>, <c>members</c> as <c>%6Dembers</c>, and a name too long for a lock as <c>~</c> and a hash. Null, the default, for that of
    /// <see cref="ExclusiveLockAttribute"/>, and without one <c>{application}/{type}</c>, as for <see cref="ExclusiveServiceOptions.LockName"/>. A name that is set is shared by all applications with the same key prefix.
    /// </summary>
    public string? LockName { get; set; }

    /// <summary>
    /// The node whose locks it uses, where the application has several: the name that <c>services.AddCoordination("billing")</c> was given. Null, the default, for the node that has no name.
    /// </summary>
    public string? Node { get; set; }

    /// <summary>
    /// How leases of these locks differ from the node's defaults, as in their duration. Null, the default, for not at all. <see cref="LockOptions.MaxHold"/> and <see cref="LockOptions.AllowBarging"/>
    /// are refused: partitions are handed over to the node that waits.
    /// </summary>
    public LockOptions? LockOptions { get; set; }

    /// <summary>
    /// What this node says of itself as the leader of a partition, and while it waits for one, to those who look, such as an address or a version; written into the lock of each partition in the step of the grant, and
    /// read there as <see cref="LockHolder.Note"/>. At most 1,024 bytes of UTF-8, without control characters; no secret. Null, the default, for <see cref="Coordination.LockOptions.Note"/> of <see cref="LockOptions"/>.
    /// </summary>
    /// <remarks>The store keeps it once for each partition: keep it short where there are thousands.</remarks>
    public string? Note { get; set; }

    /// <summary>
    /// How long the work of a partition may go without <see cref="ExclusiveTerm.ReportProgress"/>, counted from the beginning of its term and from each report. While it is longer, the lease of that partition, and of
    /// no other one, is not renewed any more, and when it ends, it is lost, by <see cref="LeaseLossReason.NoProgress"/>. 100 ms to 365 days. Null, the default, for
    /// <see cref="Coordination.LockOptions.ProgressTimeout"/> of <see cref="LockOptions"/>, and without that for work that reports nothing.
    /// </summary>
    /// <remarks>The node contends for the partition again when its work has returned; while that hangs, another node leads it, where one takes part that has room, from the safety margin after the loss on.</remarks>
    public TimeSpan? ProgressTimeout { get; set; }

    /// <summary>How long this node stays away from a partition whose work returned by itself: greater than zero, up to 49 days; 5 s by default. No other node leads it meanwhile.</summary>
    public TimeSpan CompletionPause { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// The shortest time that this node stays away from a partition whose work threw, or whose lock the store refused: 10 ms to 1 day; 1 s by default. It doubles with each failure in a row of that partition,
    /// with jitter of up to twice.
    /// </summary>
    public TimeSpan MinRestartDelay { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest time that the node stays away from a partition after a failure: from <see cref="MinRestartDelay"/> to 1 day; 1 minute by default.</summary>
    public TimeSpan MaxRestartDelay { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a term must have run for its failure to count as the first of a row: greater than zero, up to 49 days; 1 minute by default.</summary>
    public TimeSpan RestartDelayResetAfter { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// How long after its lease was lost the work of a partition may take to return before it is overdue: zero to 49 days. Null, the default, for the safety margin of the lease, which is when another
    /// node may lead the partition.
    /// </summary>
    public TimeSpan? OverdueAfter { get; set; }

    /// <summary>How often overdue work is warned of, after the first warning: 100 ms to 49 days; 10 s by default.</summary>
    public TimeSpan OverdueWarningInterval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>What the node does about overdue work, beside the warning: <see cref="OverdueAction.Warn"/>, which is nothing, by default.</summary>
    public OverdueAction OnOverdue { get; set; } = OverdueAction.Warn;

    /// <summary>After how many failures in a row of one partition on this node the health check is degraded: 1 or more, 3 by default.</summary>
    public int DegradedAfterFailures { get; set; } = 3;

    /// <summary>After how many failures in a row of one partition on this node the health check reports its failure status: 1 or more. Null, the default, for never: the other partitions may do well.</summary>
    public int? UnhealthyAfterFailures { get; set; }
}
