using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Coordination.Quartz.Policies;
using Coordination.Quartz.Telemetry;
using Coordination.Stores;
using Microsoft.Extensions.Logging;
using Quartz;

namespace Coordination.Quartz.Execution;

/// <summary>One fire of an exclusive job, or one refire: its lease, what interrupts it, and what became of it.</summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "A source with no timer and no linked token holds nothing to dispose of.")]
internal sealed class ExclusiveRun(IJobExecutionContext context, ExclusivePolicy policy, Occurrence? fire, ILogger logger)
{
    /// <summary>Beside the contexts and not in their data, which jobs pass on to other jobs and stores keep.</summary>
    private static readonly ConditionalWeakTable<IJobExecutionContext, ExclusiveRun> Runs = new();

    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _waitEnded = new();
    private ILockLease? _admitted;
    private bool _isInterruptible;
    private bool _isInterrupted;

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

    /// <summary>Which run has or had the job instead, or did not finish it; null when there is none, or none is known.</summary>
    public RunName? Elsewhere { get; set; }

    /// <summary>What others use its lock as, where that is why it was refused when it asked last; else null.</summary>
    public LockCapacity? InUseAs { get; set; }

    /// <summary>Whether something kept its lock busy in the store when it asked last, so that nobody could say who holds it.</summary>
    public bool IsLockBusy { get; set; }

    /// <summary>What is known of its fire on other nodes, where this one stopped before it ran; null where nobody has looked.</summary>
    public FireElsewhere? OnOtherNodes { get; set; }

    /// <summary>Whether the job is not run for this fire, on this node.</summary>
    public bool IsSkipped => Outcome is FireOutcome.SkippedAsHeld or FireOutcome.SkippedAsWaiting or FireOutcome.SkippedAsRun or FireOutcome.SkippedAsUnavailable
        or FireOutcome.SkippedAtStop or FireOutcome.SkippedAsWithdrawn;

    /// <summary>Whether another fire of its trigger took its place among those that wait.</summary>
    public bool HasGivenWay { get; private set; }

    /// <summary>Whether it is over its <see cref="ExclusiveJobOptions.MaxRunTime"/>, and was interrupted for that.</summary>
    public bool IsOverdue { get; private set; }

    /// <summary>Whether the store did not reply to it.</summary>
    public bool HasMetOutage { get; set; }

    /// <summary>Whether it was cancelled and left for another node to recover.</summary>
    public bool IsLeftForAnother { get; set; }

    /// <summary>Cancelled when it is not to wait for its lock any longer.</summary>
    public CancellationToken WaitEnded => _waitEnded.Token;

    /// <summary>Completes when the run is over and its lease is released.</summary>
    public Task Completion => _completion.Task;

    public static ExclusiveRun? Find(IJobExecutionContext context) => Runs.TryGetValue(context, out var run) ? run : null;

    /// <summary>Makes itself known to the job and to the listener. A refire takes the place of the run before it.</summary>
    public void Publish() => Runs.AddOrUpdate(context, this);

    /// <summary>Has the lease, before the job begins.</summary>
    public void Admit(ILockLease lease) => _admitted = lease;

    /// <summary>Takes the lease that it was admitted with, once: the job begins, or will not begin.</summary>
    public ILockLease? TakeLease() => Interlocked.Exchange(ref _admitted, null);

    /// <summary>From here on it can be interrupted.</summary>
    /// <param name="lease">Its lease; null when it runs without one.</param>
    public void Begin(ILockLease? lease)
    {
        (Lease, FencingToken) = (lease, lease?.FencingToken);
        lock (_gate)
        {
            _isInterruptible = true;
            if (_isInterrupted)
            {
                // Between its admission and now.
                _ = InterruptAsync();
            }
        }
    }

    public void End()
    {
        Lease = null;
        _completion.TrySetResult();
    }

    /// <summary>From here on it is not interrupted any more: the same fire may begin again, as a refire.</summary>
    public void EndInterruption()
    {
        lock (_gate)
        {
            _isInterruptible = false;
        }
    }

    /// <summary>Ends its wait, for a later fire of its trigger.</summary>
    public void GiveWay()
    {
        HasGivenWay = true;
        _waitEnded.Cancel();
    }

    /// <summary>Interrupts it because it runs for longer than it may.</summary>
    /// <returns>False when it is over.</returns>
    public bool InterruptAsOverdue()
    {
        lock (_gate)
        {
            IsOverdue = _isInterruptible;
        }

        Interrupt();
        return IsOverdue;
    }

    /// <summary>Tells the job to stop, through the scheduler, so that it looks to the job and to listeners as any interruption does; or ends its wait.</summary>
    public void Interrupt()
    {
        _waitEnded.Cancel();
        lock (_gate)
        {
            _isInterrupted = true;
            if (_isInterruptible)
            {
                // Cancels the job's token before it returns; what comes after that are listeners.
                _ = InterruptAsync();
            }
        }
    }

    /// <summary>Why its job is not run here.</summary>
    public string Explain() => Outcome switch
    {
        FireOutcome.SkippedAsRun => $"This fire time was run by {Elsewhere?.NodeId ?? "another node"}.",
        FireOutcome.SkippedAsUnavailable => "The lock store does not reply.",
        FireOutcome.SkippedAsWaiting => $"Another fire of its trigger waits here for the lock '{policy.LockName}'.",
        FireOutcome.SkippedAsWithdrawn => $"Its trigger was deleted while it waited for the lock '{policy.LockName}'.",
        FireOutcome.SkippedAtStop => $"The scheduler shut down while it waited for the lock '{policy.LockName}'.",
        _ when InUseAs is { } other => $"The lock '{policy.LockName}' is wanted as {policy.Capacity}, and others use it as {other}.",
        _ when IsLockBusy => $"Something keeps the lock '{policy.LockName}' busy in the store, so that nobody can say who holds it.",
        _ when policy.Share is not null => $"All permits of the lock '{policy.LockName}' are taken ({policy.Capacity}){(Elsewhere?.NodeId is { } holder ? $", one of them by {holder}" : "")}.",
        _ => Elsewhere?.NodeId is { } node ? $"The lock '{policy.LockName}' is held by {node}." : $"The lock '{policy.LockName}' is not free.",
    };

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
