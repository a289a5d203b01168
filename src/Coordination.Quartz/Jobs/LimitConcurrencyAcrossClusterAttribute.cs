namespace Coordination;

/// <summary>
/// Lets up to a number of runs of a Quartz job be under way at a time, on all nodes together that share a store of locks, and runs it once for each time at which its
/// trigger fires. Needs <c>AddQuartzExclusivity()</c>. Inherited by classes that derive from the job.
/// </summary>
/// <remarks>
/// <para>Each run has a permit of a semaphore: <see cref="ILease.Permit"/> of <see cref="JobExecutionContextExtensions.GetLease"/> is its number, from zero up, and no other
/// run has it meanwhile. Two fires on one node count as two on different nodes do.</para>
/// <para>All who use the lock at a time use it with the same number. Nodes of a rolling update that changes it, or that comes from
/// <see cref="DisallowConcurrentAcrossClusterAttribute"/>, wait until the others neither hold the lock nor wait for it: their fires are skipped where a later one of the
/// series follows, and else wait.</para>
/// <para>Fires of one trigger run beside each other and begin in any order. Each of the last 64 is remembered by itself: an earlier one that waits for room runs, and is
/// recovered (<see cref="JobCrashAction.Recover"/>), refired and retried, also where a later one has begun. One that is not remembered any more counts as run.</para>
/// </remarks>
/// <inheritdoc cref="ExclusiveJobAttribute" path="/remarks"/>
/// <param name="maxConcurrentRuns">How many: 1 to <see cref="LockCapacity.MaxPermits"/>. Another number keeps the host from starting.</param>
[AttributeUsage(AttributeTargets.Class)]
public sealed class LimitConcurrencyAcrossClusterAttribute(int maxConcurrentRuns) : ExclusiveJobAttribute
{
    /// <inheritdoc cref="ExclusiveJobOptions.MaxConcurrentRuns"/>
    public int MaxConcurrentRuns => maxConcurrentRuns;

    private protected override void Limit(ExclusiveJobOptions options) => options.MaxConcurrentRuns = maxConcurrentRuns;
}
