namespace Coordination.Chaos.Faults;

/// <summary>What a fault did, and when: what the checker knows of it.</summary>
/// <param name="From">When it began.</param>
/// <param name="To">When it was over.</param>
/// <param name="Kind">What it was.</param>
/// <param name="Worker">Whom it struck; null for all.</param>
/// <param name="Loss">Which locks the server may have lost by it: none, one by its name, or all.</param>
/// <param name="IsCertain">Whether it lost them for certain, where it lost any.</param>
internal sealed record Disturbance(TimeSpan From, TimeSpan To, FaultKind Kind, string? Worker = null, Loss? Loss = null, bool IsCertain = false)
{
    /// <summary>Whether it broke or delayed what a worker and the server say to each other.</summary>
    public bool IsOfConnection => Kind is >= FaultKind.Delay and <= FaultKind.CutAfterWrite
        or FaultKind.RestartServer or FaultKind.KillClients or FaultKind.PauseClients or FaultKind.SleepServer or FaultKind.ExhaustMemory or FaultKind.FailOver or FaultKind.KillClusterNode or FaultKind.Demote or FaultKind.MoveSlot
        or >= FaultKind.TerminateHolder and <= FaultKind.CancelAndPromote;

    /// <summary>Whether it is to make no difference to anybody, and so excuses nothing.</summary>
    public bool IsHarmless => Kind is FaultKind.ShiftClock or FaultKind.FlushScripts or FaultKind.SinksThrow or FaultKind.SinksBlock or FaultKind.Hang or FaultKind.StepDown or FaultKind.Drain;

    /// <summary>Whether it kept a worker's process from being scheduled.</summary>
    public bool IsPause => Kind is FaultKind.PauseShort or FaultKind.PauseLong or FaultKind.SuspendMachine or FaultKind.SuspendInRelease or FaultKind.SuspendInClaim or FaultKind.SuspendInTransaction;

    /// <summary>
    /// Until when a worker's process cannot know of its pause: where its own clock stood still, it looks at the other one once a second, and then has the
    /// safety margin to learn whether the lock is its own.
    /// </summary>
    public TimeSpan UnknownUntil(TimeSpan safetyMargin) => Kind == FaultKind.SuspendMachine ? To + TimeSpan.FromSeconds(1) + safetyMargin : To;

    /// <summary>Whether it is about a worker or about what this worker needs.</summary>
    public bool Strikes(string worker) => Worker is null || Worker == worker;

    public bool Overlaps(TimeSpan from, TimeSpan to) => From <= to && To >= from;

    public bool MayLose(string lockName) => Loss is { } loss && (loss.Lock is null || loss.Lock == lockName);
}
