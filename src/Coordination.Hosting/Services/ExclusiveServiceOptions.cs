namespace Coordination;

/// <summary>
/// The settings of one registration of an <see cref="ExclusiveBackgroundService"/>, checked when the host starts.
/// </summary>
/// <remarks>
/// Bound from the section <c>Coordination:Services:{name}</c> of the configuration: of the name of the registration or, where it has none, of the type without its
/// namespace. Code wins over the configuration, and of code the last call: <c>services.Configure&lt;ExclusiveServiceOptions&gt;(…)</c> counts for all
/// services, over those that are registered before it, and under what those that are registered after it are given.
/// </remarks>
public sealed class ExclusiveServiceOptions
{
    /// <summary>
    /// The name of the lock, as <see cref="ILockProvider.GetLock"/> takes it; nodes that share it share the work. Null, the default, for
    /// that of <see cref="ExclusiveLockAttribute"/>, and without one <c>{application}/{type}</c>, of <see cref="CoordinationOptions.ApplicationName"/> and the full name of the
    /// type; with <c>/{name}</c> after it for a registration that has a name. A name that is set is shared by all applications with the same key prefix. Within a node each registration needs a name of its own.
    /// </summary>
    public string? LockName { get; set; }

    /// <summary>
    /// How many nodes lead at a time: each has a term, a fencing token and an instance number of its own (<see cref="ExclusiveTerm.Instance"/>), and all others stand by. A node never
    /// leads twice in one service.
    /// </summary>
    /// <value>1, which is the default, to <see cref="LockCapacity.MaxPermits"/>. To be the same on every node.</value>
    /// <remarks>
    /// <para>Several have fencing tokens at a time: keep a fence for each <see cref="ExclusiveTerm.Instance"/>, and not one for all.</para>
    /// <para>With 1 the lock is an exclusive one, and with more a semaphore, which needs a store that keeps them and takes no <see cref="LockOptions.AllowBarging"/>.</para>
    /// <para>A rolling update that changes the number lets in no more than either. For as long as nodes with one number lead or stand by, nodes with another wait: they say so once, in a
    /// warning that names both, are healthy and ready, ask again every one to two seconds, and lead when the last of the others has gone. So have the update stop
    /// old nodes also while no new one leads, as it does by default.</para>
    /// <para>An <see cref="ExclusivePeriodicService"/>, and work that is run once, have no such setting: a slot is run by one node, and what is run once is done once.</para>
    /// </remarks>
    public int Instances { get; set; } = 1;

    /// <summary>
    /// Whether this node leads, or only others do: with false it does not stand in the queue, and where it leads, it steps down. True by default.
    /// </summary>
    /// <remarks>
    /// Of these settings this one alone may change while the host runs, in the configuration. At run time <see cref="ILeadership.SetCanLead"/> counts instead. For all that a node does see
    /// <see cref="NodeDrain"/>.
    /// </remarks>
    public bool CanLead { get; set; } = true;

    /// <summary>
    /// The node whose locks it uses, where the application has several: the name that <c>services.AddCoordination("billing")</c> was given. Null, the default, for the
    /// node that has no name.
    /// </summary>
    public string? Node { get; set; }

    /// <summary>
    /// How leases of this lock differ from the node's defaults, as in their duration. Null, the default, for not at all.
    /// <see cref="LockOptions.MaxHold"/> is refused: it ends the renewals while the work still runs. Set <see cref="MaxTerm"/>.
    /// </summary>
    public LockOptions? LockOptions { get; set; }

    /// <summary>
    /// How long a term lasts at most: 100 ms to 49 days. Null, the default, for no limit. Then the work is told to stop; the lease is renewed until it has
    /// returned, and this node contends again behind those that wait. That is no failure.
    /// </summary>
    public TimeSpan? MaxTerm { get; set; }

    /// <summary>
    /// What this node says of itself as a leader and a standby to those who look, such as an address or a version; written in the step of the grant, and read as <see cref="LeaderInfo.Note"/>. At most 1,024 bytes of
    /// UTF-8, without control characters; no secret. Null, the default, for <see cref="Coordination.LockOptions.Note"/> of <see cref="LockOptions"/>.
    /// </summary>
    public string? Note { get; set; }

    /// <summary>
    /// How much this node is to be preferred as the leader, such as the number of its version, so that new nodes are preferred in a rolling update. A leader makes way for
    /// a node of a higher rank that has waited for <see cref="PreferenceDwell"/>, and passes the lock to the one with the highest when its term ends. Null, the default, for
    /// <see cref="Coordination.LockOptions.Rank"/> of <see cref="LockOptions"/>: where that is zero as well, this leader makes way for nobody by rank, and others see it as zero.
    /// </summary>
    /// <value>Any number but <see cref="long.MinValue"/>, which a node states by itself while it abstains because its work fails (<see cref="PreferenceDwell"/>). Set it on every node where it is set on one: a node without it and without <see cref="PreferredNodes"/> abstains only once it has led after a node that states a rank other than zero.</value>
    /// <remarks>
    /// A rolling update of N nodes whose new ones have a higher rank costs two terms at most, in any order of stops, where a new node stands in the queue before an old one is stopped: where the orchestrator starts
    /// the new one first and waits until it is ready by the check of <c>AddCoordinationReadyCheck</c>. Where an old one is stopped first, and that is the leader while no new node waits yet, the lock passes to
    /// another old one, which costs a third term and no more. Have such an update stop a standby first.
    /// </remarks>
    public long? Rank { get; set; }

    /// <summary>
    /// The nodes that are to lead before others, by name (<see cref="LockOwner.NodeName"/>) or id, the most preferred first. They come before any rank. Empty by default. To be the same on every node: leaders
    /// that disagree make way for each other, once in each dwell time.
    /// </summary>
    public IList<string> PreferredNodes { get; } = [];

    /// <summary>
    /// How long a preferred node has to have waited, and the leader to have led, before that makes way, where <see cref="Rank"/> or <see cref="PreferredNodes"/> is set: zero to 49 days; 30 s by default. The leader
    /// looks at the queue three times in it, and not more often than once in a second and not less than twice in a minute.
    /// </summary>
    /// <remarks>
    /// <para>A node whose work fails abstains: it waits with the rank <see cref="long.MinValue"/>, and is preferred to nobody, by its name neither, for twice this time (of which less than 5 s count as 5 s), and for twice as long
    /// after each of its terms that fails in a row, up to 128 times this time and 49 days. Then it states its rank again. Else the others, however many, would lose their work to it at each dwell time. Work that throws is a failure, and so is one that loses its
    /// lease by <see cref="LeaseLossReason.NoProgress"/>; a drain, a stop, a step-down and a store that is away are none. The row is over with a term that ends otherwise after its work came to its end, or after
    /// <see cref="MaxTerm"/>, or after at least the time for which the node had to abstain last; and with one that fails after 128 times this time, which is the first of another row.</para>
    /// <para>A process that ends in each term comes as another node each time, and cannot know of the terms before: what slows it is this time, which it has to wait for each time, and how long whatever starts it
    /// again waits before it does.</para>
    /// </remarks>
    public TimeSpan PreferenceDwell { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long the work may go without <see cref="ExclusiveTerm.ReportProgress"/>, counted from the beginning of the term and from each report. While it is longer, the lease is not renewed any more, and when it
    /// ends, it is lost, by <see cref="LeaseLossReason.NoProgress"/>: another node leads within this time and the lease duration, although this process runs on. 100 ms to 365 days. Null, the
    /// default, for <see cref="Coordination.LockOptions.ProgressTimeout"/> of <see cref="LockOptions"/>, and without that for work that reports nothing.
    /// </summary>
    /// <remarks>
    /// Set it to several times what the longest step takes, that of the hooks included: they run under the same lease. The loss cancels the token of work that hangs, and does not end it: see
    /// <see cref="OnOverdue"/>.
    /// </remarks>
    public TimeSpan? ProgressTimeout { get; set; }

    /// <summary>
    /// What this node does after a term whose work returned by itself; each node counts for itself. <see cref="CompletionAction.Pause"/> by default.
    /// </summary>
    public CompletionAction AfterCompletion { get; set; } = CompletionAction.Pause;

    /// <summary>
    /// How long this node stays away after a term whose work returned by itself, with <see cref="CompletionAction.Pause"/>: greater
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
    /// How long a term must have run for the delay after its failure to be the shortest again: greater than zero, up to 49 days; 1 minute by default.
    /// A term that does not end by a failure has the same effect. The failures in a row are counted by another rule: see <see cref="DegradedAfterFailures"/>.
    /// </summary>
    public TimeSpan RestartDelayResetAfter { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// How long after its lease was lost the work may take to return before it is overdue: zero to 49 days. Null, the default, for the
    /// safety margin of the lease, which is when another node may lead.
    /// </summary>
    public TimeSpan? OverdueAfter { get; set; }

    /// <summary>How often overdue work is warned of, after the first warning: 100 ms to 49 days; 10 s by default.</summary>
    public TimeSpan OverdueWarningInterval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>What the node does about overdue work, beside the warning: <see cref="OverdueAction.Warn"/>, which is nothing, by default.</summary>
    public OverdueAction OnOverdue { get; set; } = OverdueAction.Warn;

    /// <summary>
    /// After how many failures in a row on this node the health check is degraded: 1 or more, 3 by default. The work that throws is a failure, and so is a
    /// store that refuses.
    /// </summary>
    /// <remarks>
    /// A row is over when a term of this node ends without a failure, and when this node was without one for longer than <see cref="MaxRestartDelay"/> and
    /// <see cref="RestartDelayResetAfter"/> together, as while another node leads. A term that itself ends by a failure ends no row, however long it was: while it runs, the
    /// health check reports no failures after that time, and when it fails, it is the next of the row.
    /// </remarks>
    public int DegradedAfterFailures { get; set; } = 3;

    /// <summary>After how many failures in a row on this node the health check reports its failure status: 1 or more, 10 by default.</summary>
    public int UnhealthyAfterFailures { get; set; } = 10;

    /// <summary>After how many failures in a row on this node its host stops: 1 or more. Null, the default, for never. The
    /// process ends with exit code 1 then, where its program returns none and has set none in <see cref="Environment.ExitCode"/>. Have something start it again.</summary>
    public int? StopHostAfterFailures { get; set; }
}
