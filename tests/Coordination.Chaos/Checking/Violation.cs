namespace Coordination.Chaos.Checking;

/// <summary>Something that must not be.</summary>
/// <param name="Check">By which check.</param>
/// <param name="At">When.</param>
/// <param name="Text">What, for people.</param>
internal sealed record Violation(CheckKind Check, TimeSpan At, string Text);
