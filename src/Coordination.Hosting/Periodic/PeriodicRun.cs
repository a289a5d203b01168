namespace Coordination;

/// <summary>One run of an <see cref="ExclusivePeriodicService"/>.</summary>
public sealed class PeriodicRun
{
    internal PeriodicRun(ILease lease, IServiceProvider services, DateTimeOffset? scheduledFor, bool isRecovery) =>
        (Lease, Services, ScheduledFor, IsRecovery) = (lease, services, scheduledFor, isRecovery);

    /// <summary>The lease under which nobody else runs. It is renewed until the run has returned, and released then.</summary>
    public ILease Lease { get; }

    /// <summary>The services of a scope that lasts as long as the run.</summary>
    public IServiceProvider Services { get; }

    /// <summary>The start of the slot, the same on every node; null for a run that somebody triggered.</summary>
    public DateTimeOffset? ScheduledFor { get; }

    /// <summary>Whether it takes the place of a run that was begun and not finished: a part of the work may have been done.</summary>
    public bool IsRecovery { get; }
}
