namespace Coordination.Hosting.Health;

/// <summary>What a check says of a node, and what it asks there.</summary>
internal sealed record NodeHealth(string NodeId, StoreTrouble Store);
