namespace Coordination;

/// <summary>The leader of a term.</summary>
public sealed record LeaderInfo
{
    /// <summary>The node that leads.</summary>
    public required string NodeId { get; init; }

    /// <summary>The number of the term, greater than that of every earlier one.</summary>
    public required long FencingToken { get; init; }

    /// <summary>When the term began: on this node's wall clock if it leads itself, else on that of the store.</summary>
    public required DateTimeOffset Since { get; init; }
}
