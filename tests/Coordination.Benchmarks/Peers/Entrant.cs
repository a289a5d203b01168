namespace Coordination.Benchmarks.Peers;

/// <summary>A library, and what is wanted of its lock.</summary>
/// <param name="Library">The library.</param>
/// <param name="Share">Null for an exclusive lock.</param>
internal sealed record Entrant(PeerKind Library, LockShare? Share)
{
    public override string ToString() => $"{Library}-{Share?.Kind.ToString() ?? "Exclusive"}";
}
