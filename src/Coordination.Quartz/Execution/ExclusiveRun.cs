using Coordination.Quartz.Policies;
using Coordination.Quartz.Telemetry;
using Coordination.Stores;
using Microsoft.Extensions.Logging;
using Quartz;

namespace Coordination.Quartz.Execution;

/// <summary>One way of a fire through the middleware: its lease, what interrupts it, and what became of it.</summary>
internal sealed class ExclusiveRun(IJobExecutionContext context, ExclusivePolicy policy, Occurrence? fire, ILogger logger)
{
    /// <summary>Where the fire's own map of data has it. That map is a copy, which no store keeps.</summary>
    private const string Key = ExclusiveJobData.Prefix + "Run";

    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isOver;

    public IJobExecutionContext Context => context;

    public ExclusivePolicy Policy => policy;

    /// <summary>The fire time that is run once at most; null when there is none in common with other nodes.</summary>
    public Occurrence? Fire => fire;

    /// <summary>The lease while the job runs; null before and after, and without one.</summary>
    public ILockLease? Lease { get; private set; }

    /// <summary>The token under which it ran; null when it had no lease.</summary>
    public long? FencingToken { get; private set; }

    /// <summary>Null until it is known.</summary>
    public FireOutcome? Outcome { get; set; }

    /// <summary>Which node has or had the job instead; null when there is none, or none is known.</summary>
    public string? Elsewhere { get; set; }

    /// <summary>Completes when the run is over and its lease is released.</summary>
    public Task Completion => _completion.Task;

    public static ExclusiveRun? Find(IJobExecutionContext context) =>
        context.MergedJobDataMap.TryGetValue(Key, out var run) ? run as ExclusiveRun : null;

    /// <summary>Makes itself known to the job and to the listener. A refire takes the place of the run before it.</summary>
    public void Publish() => context.MergedJobDataMap[Key] = this;

    public void Begin(ILockLease lease) => (Lease, FencingToken) = (lease, lease.FencingToken);

    public void End()
    {
        Lease = null;
        _completion.SetResult();
    }

    /// <summary>From here on it is not interrupted any more: the same fire may begin again, as a refire.</summary>
    public void EndInterruption()
    {
        lock (_gate)
        {
            _isOver = true;
        }
    }

    /// <summary>Tells the job to stop, through the scheduler, so that it looks to the job and to listeners as any interruption does.</summary>
    public void Interrupt()
    {
        lock (_gate)
        {
            if (!_isOver)
            {
                // Cancels the job's token before it returns; what comes after that are listeners.
                _ = InterruptAsync();
            }
        }
    }

    private async Task InterruptAsync()
    {
        try
        {
            await context.Scheduler.InterruptFireInstance(context.FireInstanceId, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // A callback on the job's token, or another's listener, which may throw anything; nobody awaits this.
            logger.InterruptionFailed(e, context.JobDetail.Key);
        }
    }
}
