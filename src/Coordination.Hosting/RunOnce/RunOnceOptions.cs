namespace Coordination;

/// <summary>The settings of work that is run once in the cluster.</summary>
public sealed class RunOnceOptions
{
    /// <summary>How long the store remembers that it was done. A node that starts later than that, with the same name, does it again.</summary>
    /// <value>1 minute to 366 days; 366 days by default.</value>
    public TimeSpan RememberFor { get; set; } = TimeSpan.FromDays(366);

    /// <summary>How leases of its lock differ from the node's defaults. Null, the default, for not at all.</summary>
    public LockOptions? LockOptions { get; set; }
}
