namespace Coordination;

/// <summary>The settings of work that is run once in the cluster, checked when the host starts.</summary>
/// <remarks>
/// Bound from the section <c>Coordination:RunOnce:{name}</c> of the configuration. Code wins over the configuration, and of code the last call:
/// <c>services.Configure&lt;RunOnceOptions&gt;(…)</c> counts for all such work, as <see cref="ExclusiveServiceOptions"/> do for all services.
/// </remarks>
public sealed class RunOnceOptions
{
    /// <summary>How long the store remembers that it was done. A node that starts later than that, with the same name, does it again.</summary>
    /// <value>1 minute to 366 days; 366 days by default.</value>
    public TimeSpan RememberFor { get; set; } = TimeSpan.FromDays(366);

    /// <summary>
    /// The node whose locks it uses, where the application has several: the name that <c>services.AddCoordination("billing")</c> was given. Null, the default, for the
    /// node that has no name.
    /// </summary>
    public string? Node { get; set; }

    /// <summary>How leases of its lock differ from the node's defaults. Null, the default, for not at all.</summary>
    /// <remarks><see cref="LockOptions.MaxHold"/> is refused: it ends the renewals while the work still runs.</remarks>
    public LockOptions? LockOptions { get; set; }

    /// <summary>
    /// How long after its lease was lost the work may take to return before it is overdue: zero to 49 days. Null, the default, for the
    /// safety margin of the lease, which is when another node may do it.
    /// </summary>
    public TimeSpan? OverdueAfter { get; set; }

    /// <summary>How often overdue work is warned of, after the first warning: 100 ms to 49 days; 10 s by default.</summary>
    public TimeSpan OverdueWarningInterval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>What the node does about overdue work, beside the warning: <see cref="OverdueAction.Warn"/>, which is nothing, by default.</summary>
    public OverdueAction OnOverdue { get; set; } = OverdueAction.Warn;
}
