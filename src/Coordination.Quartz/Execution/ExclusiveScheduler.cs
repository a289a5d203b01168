namespace Coordination.Quartz.Execution;

/// <summary>A scheduler whose jobs are exclusive, as it is registered.</summary>
/// <param name="Name">The name under which it is registered: empty for the default one.</param>
/// <param name="IsOfApplication">False for one that is built while the host runs, in a container of its own that takes the rest from the application's.</param>
/// <param name="Configure">What is set for this scheduler alone where the application's container does not have it.</param>
internal sealed record ExclusiveScheduler(string Name, bool IsOfApplication, List<Action<QuartzExclusivityOptions>> Configure);
