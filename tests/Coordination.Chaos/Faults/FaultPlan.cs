namespace Coordination.Chaos.Faults;

/// <summary>The schedule of faults of a run: the same for the same seed and settings.</summary>
internal static class FaultPlan
{
    /// <summary>How long workers run undisturbed at first.</summary>
    private static readonly TimeSpan Begin = TimeSpan.FromSeconds(1.5);

    /// <param name="seed">Decides everything below.</param>
    /// <param name="kinds">What may happen, each kind as often as it is listed.</param>
    /// <param name="duration">How long the run lasts. The last part of it is for recovery.</param>
    /// <param name="lease">The lease that lengths are measured by.</param>
    /// <param name="workers">How many workers there are.</param>
    /// <param name="locks">How many locks there are.</param>
    /// <param name="pause">The mean time between a fault and the next.</param>
    /// <param name="recovery">How long the last part is.</param>
    /// <param name="hasLulls">Whether nothing happens for a while now and then.</param>
    public static IReadOnlyList<Fault> Create(int seed, IReadOnlyList<FaultKind> kinds, TimeSpan duration, TimeSpan lease, int workers, int locks, TimeSpan pause, TimeSpan recovery, bool hasLulls = true)
    {
        var random = new Random(seed);
        var faults = new List<Fault>();
        if (kinds.Count == 0)
        {
            return faults;
        }

        var end = duration - recovery;
        for (var at = Begin; at < end; at += pause * Between(random, 0.5, 1.5))
        {
            var kind = kinds[random.Next(kinds.Count)];
            faults.Add(new Fault(
                at, kind, random.Next(workers), random.Next(locks), random.NextDouble() < 0.7, LengthOf(kind, lease, random), SizeOf(kind, lease, random)));

            // A server that comes back is left alone for a while: most faults do nothing to one that is away.
            at += IsAtServer(kind) ? faults[^1].Length : TimeSpan.Zero;

            // Now and then a lull: what does not recover by itself shows when nothing else happens.
            at += random.NextDouble() < 0.2 && faults.Count % 3 == 0 && hasLulls ? 2.5 * lease : TimeSpan.Zero;
        }

        return faults;
    }

    /// <summary>Whether a fault strikes everybody.</summary>
    public static bool IsAtServer(FaultKind kind) => kind is >= FaultKind.RestartServer and <= FaultKind.ExhaustMemory or >= FaultKind.FailOver and <= FaultKind.SetClockBack or >= FaultKind.TerminateHolder and <= FaultKind.CancelAndPromote;

    private static TimeSpan LengthOf(FaultKind kind, TimeSpan lease, Random random) => kind switch
    {
        FaultKind.Kill or FaultKind.Terminate => lease * Between(random, 0.1, 0.6),
        FaultKind.PauseShort => lease * Between(random, 0.05, 0.25),
        FaultKind.PauseLong => lease * Between(random, 1.1, 2),
        FaultKind.SuspendMachine => lease * Between(random, 1.05, 1.2),
        FaultKind.SuspendInRelease or FaultKind.SuspendInClaim => lease * Between(random, 0.05, 1.5),
        FaultKind.Deafen => lease * Between(random, 0.2, 0.6),
        FaultKind.SinksThrow or FaultKind.SinksBlock => lease * Between(random, 1.8, 2.8),
        FaultKind.SuspendInTransaction => lease * Between(random, 0.4, 2.2),
        FaultKind.Promote or FaultKind.CancelAndPromote => lease * Between(random, 0.2, 0.5),
        FaultKind.FillDisk => lease * Between(random, 0.2, 0.8),
        FaultKind.StopImmediately => lease * Between(random, 0.05, 0.5),
        FaultKind.RestartServer => lease * Between(random, 0.05, 0.5),
        FaultKind.FlushAll or FaultKind.FlushScripts or FaultKind.KillClients or FaultKind.DeleteKeys or FaultKind.ShiftClock or FaultKind.Demote or FaultKind.SetClockForward or FaultKind.SetClockBack or FaultKind.TerminateHolder or FaultKind.TerminateAll or FaultKind.CrashBackend => TimeSpan.Zero,

        // Some of them are over before the lease is.
        FaultKind.Hang => lease * Between(random, 0.4, 2.4),
        FaultKind.StepDown => lease,
        FaultKind.Drain => lease * Between(random, 0.4, 1.6),
        FaultKind.PauseClients or FaultKind.SleepServer => lease * Between(random, 0.1, 1.2),
        FaultKind.CutAfterWrite => lease,

        // One renewal at least is slow before none arrives.
        FaultKind.DelayThenBlackHole => lease * Between(random, 0.4, 0.7),
        _ => lease * Between(random, 0.3, 1.3),
    };

    private static TimeSpan SizeOf(FaultKind kind, TimeSpan lease, Random random) => kind switch
    {
        // Within the time that one call may take, or else nothing would ever arrive.
        FaultKind.Delay or FaultKind.DelayThenBlackHole => lease * Between(random, 0.06, 0.15),
        FaultKind.SetClockForward => lease * Between(random, 1.2, 10),
        FaultKind.SetClockBack => lease * Between(random, 1, 6),
        FaultKind.ShiftClock => TimeSpan.FromHours(Between(random, -48, 48)),
        _ => TimeSpan.Zero,
    };

    private static double Between(Random random, double min, double max) => min + (random.NextDouble() * (max - min));
}
