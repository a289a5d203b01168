using Quartz;

namespace Coordination.Quartz.Tests.Runs;

/// <summary>Counts what the scheduler tells beside how runs end.</summary>
internal sealed class ObservedListeners : ISchedulerListener, IJobListener
{
    private int _errors;
    private int _vetoed;

    public string Name => "observed";

    public int Errors => Volatile.Read(ref _errors);

    public int Vetoed => Volatile.Read(ref _vetoed);

    public ValueTask SchedulerError(IScheduler scheduler, SchedulerErrorContext context, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _errors);
        return ValueTask.CompletedTask;
    }

    public ValueTask JobExecutionVetoed(IJobExecutionContext context, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _vetoed);
        return ValueTask.CompletedTask;
    }
}
