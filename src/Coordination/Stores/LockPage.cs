namespace Coordination.Stores;

/// <summary>A part of the locks that are held.</summary>
/// <param name="LockNames">Their names, in no order; a name may come again on another page.</param>
/// <param name="Next">What to ask the next page with; null when this is the last one.</param>
public sealed record LockPage(IReadOnlyList<string> LockNames, string? Next);
