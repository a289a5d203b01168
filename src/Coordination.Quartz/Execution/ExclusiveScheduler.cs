namespace Coordination.Quartz.Execution;

/// <summary>A scheduler whose jobs are exclusive, by the name under which it is registered: empty for the default one.</summary>
internal sealed record ExclusiveScheduler(string Name);
