namespace Coordination.Quartz.Names;

/// <summary>What a job is called on every node.</summary>
/// <param name="Text">The name: that of its lock, where the user gave none, and the beginning of its series of occurrences.</param>
/// <param name="IsOfType">Whether the job has no key of its own, and so is called by its type.</param>
/// <param name="Fault">Why the job has no name that it could be known by, and what to do; null for a name.</param>
internal readonly record struct JobName(string Text, bool IsOfType = false, string? Fault = null);
