using Coordination.Chaos.Checking;
using Coordination.Chaos.Contenders;
using Coordination.Chaos.Faults;

namespace Coordination.Chaos.Tests;

/// <summary>Records that tests write by hand, with a lease of 3 s, a margin of 600 ms and a claim window of 500 ms; times are in seconds.</summary>
internal static class Recorded
{
    public const string RecordedLock = "orders";

    /// <summary>How long after it came a waiter is told that it stands in the queue.</summary>
    private static readonly TimeSpan Told = At(0.1);

    public static RunRecord Run(params Holding[] holdings) => new()
    {
        Settings = new RunSettings { Lease = At(3), RenewalInterval = At(1), Margin = At(0.6), ClaimWindow = At(0.5), IsOurs = true, Serves = true },
        Begin = TimeSpan.Zero,
        End = At(30),
        Holdings = [.. holdings.OrderBy(holding => holding.Granted)],
        Waits = [.. holdings.Select(holding => new Wait(holding.By, holding.Worker, holding.Lock, holding.WaitedFrom, holding.Granted, true, holding.Token, holding.Share, holding.WaitedFrom + Told)).OrderBy(wait => wait.From)],
    };

    public static Holding Hold(string by, long token, double waitedFrom, double granted, double end, HoldingEnd ending = HoldingEnd.Released) =>
        new(by, RunRecord.WorkerOf(by), RecordedLock, token, token, At(waitedFrom), At(granted), At(granted), At(end), ending);

    public static Holding HoldPermit(string by, int permit, long token, double waitedFrom, double granted, double end, HoldingEnd ending = HoldingEnd.Released) =>
        Hold(by, token, waitedFrom, granted, end, ending) with { Lock = Capacities.Semaphore, Share = LockShareKind.Permit, Permit = permit };

    public static Holding HoldShare(string by, LockShareKind share, long token, double waitedFrom, double granted, double end, HoldingEnd ending = HoldingEnd.Released) =>
        Hold(by, token, waitedFrom, granted, end, ending) with { Lock = Capacities.ReaderWriter, Share = share };

    public static Wait WaitInVain(string by, double from, double to) => new(by, RunRecord.WorkerOf(by), RecordedLock, At(from), At(to), false, Queued: At(from) + Told);

    public static Disturbance Strike(FaultKind kind, double from, double to, string? worker = null) => new(At(from), At(to), kind, worker);

    public static Disturbance Lose(FaultKind kind, double at) => new(At(at), At(at), kind, null, new Loss(), IsCertain: true);

    public static Gap Gap(string by, double from, double to) => new(by, At(from), At(to));

    public static TimeSpan At(double seconds) => TimeSpan.FromSeconds(seconds);
}
