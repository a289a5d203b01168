namespace Coordination.Stores;

/// <summary>A part of the locks that are held.</summary>
public sealed record LockPage
{
    /// <summary>Their names.</summary>
    /// <value>In no order; a name may come again on another page.</value>
    public required IReadOnlyList<string> LockNames { get; init; }

    /// <summary>What to ask the next page with.</summary>
    /// <value>Null, the default, when this is the last one.</value>
    public string? Next { get; init; }
}
