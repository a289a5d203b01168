namespace Coordination;

/// <summary>
/// Lets a Quartz job run on one node at a time, of all nodes that share a store of locks, and once for each time at which its trigger
/// fires. Needs <c>AddQuartzExclusivity()</c>. Inherited by classes that derive from the job.
/// </summary>
/// <inheritdoc cref="ExclusiveJobAttribute" path="/remarks"/>
[AttributeUsage(AttributeTargets.Class)]
public sealed class DisallowConcurrentAcrossClusterAttribute : ExclusiveJobAttribute
{
    private protected override void Limit(ExclusiveJobOptions options) => options.IsOneAtATime = true;
}
