namespace Coordination.Hosting.Health;

/// <summary>How one piece of exclusive work does on this node at one moment: a service, a periodic one, or work that is run once.</summary>
internal interface IWorkReport
{
    string LockName { get; }

    /// <summary>The name of the node that has the lock; null for the one that has none.</summary>
    string? NodeName { get; }

    /// <summary>What was registered; null for what is no type.</summary>
    Type? ServiceType { get; }

    /// <summary>Whether it has started and not stopped, and of a service, partitioned or not, has taken its place among the others; of work that is run once, whether it is done.</summary>
    bool TakesPart { get; }

    /// <summary>Why it does not take part; null where it does.</summary>
    string? Absence => TakesPart ? null : Trouble;

    /// <summary>What is worth the failure status; null for nothing.</summary>
    string? Failure { get; }

    /// <summary>What is worth a warning; null for nothing.</summary>
    string? Trouble { get; }

    /// <summary>What is worth saying although nothing is wrong; null for nothing.</summary>
    string? Note => null;

    IReadOnlyDictionary<string, object> Describe();
}
