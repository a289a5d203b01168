namespace Coordination.Hosting.Health;

/// <summary>What a check says of a node, and what it asks there.</summary>
/// <param name="NodeId">The node.</param>
/// <param name="Store">What keeps it from acquiring locks.</param>
/// <param name="Drain">Whether it is drained; null for a node with no work that could be.</param>
internal sealed record NodeHealth(string NodeId, StoreTrouble Store, NodeDrain? Drain)
{
    /// <summary>What is worth saying although nothing is wrong; null for nothing.</summary>
    public string? Note => Drain switch
    {
        { IsDrained: true } => $"The node {NodeId} is drained: it leads nothing until it is resumed.",
        { IsRequested: true } => $"The node {NodeId} drains: it leads nothing new, and gives away what it leads.",
        _ => null,
    };
}
