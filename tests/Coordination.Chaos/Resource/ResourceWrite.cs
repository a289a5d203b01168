namespace Coordination.Chaos.Resource;

/// <summary>A write that came to the resource.</summary>
/// <param name="At">When it came.</param>
/// <param name="Lock">The lock that guards what is written.</param>
/// <param name="By">The process that wrote.</param>
/// <param name="Attempt">Under which of its grants.</param>
/// <param name="Token">The fencing token that came with it, if any.</param>
/// <param name="IsAccepted">Whether the register with a fence accepted it. The one without accepts all.</param>
internal sealed record ResourceWrite(TimeSpan At, string Lock, string By, long Attempt, long? Token, bool IsAccepted);
