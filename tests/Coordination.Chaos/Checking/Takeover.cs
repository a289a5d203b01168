namespace Coordination.Chaos.Checking;

/// <summary>A server took over from another that died.</summary>
/// <param name="At">When that died.</param>
/// <param name="Tokens">The last token of each lock that the one which took over had then.</param>
internal sealed record Takeover(TimeSpan At, IReadOnlyDictionary<string, long> Tokens);
