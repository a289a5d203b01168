namespace Coordination.Hosting.Terms;

/// <summary>How the work of a term ended.</summary>
/// <param name="End">Why it did.</param>
/// <param name="Failure">What it threw; null for nothing, and for an <see cref="OperationCanceledException"/> after it was told to stop.</param>
internal readonly record struct TermResult(TermEnd End, Exception? Failure);
