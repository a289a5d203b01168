namespace Coordination;

/// <summary>The leader of a term.</summary>
/// <param name="NodeId">The node that leads.</param>
/// <param name="FencingToken">The number of the term, greater than that of every earlier one.</param>
/// <param name="Since">When the term began: on this node's wall clock if it leads itself, else on that of the store.</param>
public sealed record LeaderInfo(string NodeId, long FencingToken, DateTimeOffset Since);
