using Quartz;

namespace Coordination.Quartz.Tests.Runs;

/// <summary>How a lock around a job is not to be made: acquired in one callback, released in another.</summary>
internal sealed class LockTakingListener : IJobListener
{
    private int _held;

    public int Held => Volatile.Read(ref _held);

    public ValueTask JobToBeExecuted(IJobExecutionContext context, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _held);
        return ValueTask.CompletedTask;
    }

    public ValueTask JobWasExecuted(IJobExecutionContext context, JobExecutionException? jobException, CancellationToken cancellationToken = default)
    {
        Interlocked.Decrement(ref _held);
        return ValueTask.CompletedTask;
    }
}
