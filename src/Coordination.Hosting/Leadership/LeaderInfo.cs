namespace Coordination;

/// <summary>The leader of a term.</summary>
public sealed record LeaderInfo
{
    /// <summary>The node that leads.</summary>
    public required string NodeId { get; init; }

    /// <summary>The number of the term, greater than that of every earlier one.</summary>
    public required long FencingToken { get; init; }

    /// <summary>The number of its instance, which no other node that leads has at the time. It is given again after the term.</summary>
    /// <value>Zero, the default, to one less than <see cref="ExclusiveServiceOptions.Instances"/>; zero where one node leads at a time.</value>
    public int Instance { get; init; }

    /// <summary>What the leader says of itself, as an address or a version: <see cref="ExclusiveServiceOptions.Note"/>.</summary>
    /// <value>Null, the default, for nothing.</value>
    public string? Note { get; init; }

    /// <summary>How much it is to be preferred, as it says itself: <see cref="ExclusiveServiceOptions.Rank"/>.</summary>
    /// <value>Zero by default; <see cref="long.MinValue"/> for one that began to lead while it abstained, because its work had failed (<see cref="ExclusiveServiceOptions.PreferenceDwell"/>).</value>
    public long Rank { get; init; }

    /// <summary>When the term began: on this node's wall clock if it leads itself, else on that of the store.</summary>
    public required DateTimeOffset Since { get; init; }
}
