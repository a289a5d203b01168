using System.Diagnostics;
using Coordination.Benchmarks.Peers;
using Coordination.Benchmarks.Reports;

namespace Coordination.Benchmarks.Rows;

/// <summary>
/// What a share costs beside this library's exclusive lock and beside DistributedLock.Redis's share: alone, with many tasks that have a lock each, and with many
/// tasks on one semaphore that does not let all of them in.
/// </summary>
internal sealed class Shares : IRow
{
    private const int Permits = 10;
    private const int Tasks = 64;
    private const int WarmUp = 2000;
    private const int PerRound = 400;
    private const int Alone = 25;
    private const int PerTask = 60;
    private const int Together = 9;
    private const int Crowded = 3;

    /// <summary>Of the crowd. DistributedLock's waiters sleep for up to 0.8 s before they ask again.</summary>
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(2.5);

    private static readonly LockShare[] Kinds = [LockShare.PermitOf(Permits), LockShare.Read, LockShare.Write];
    private static readonly Entrant Exclusive = new(PeerKind.Coordination, Share: null);
    private static readonly Entrant[] All = [Exclusive, .. Kinds.SelectMany(share => new[] { Ours(share), Theirs(share) })];

    /// <summary>What a share may cost, in times of what an exclusive lock does.</summary>
    private const double MostOfExclusive = 1.3;

    public string Name => "shares";

    public string Summary => $"a permit of {Permits}, a read and a write: acquire and release by 1 and by {Tasks} tasks, beside the exclusive lock";

    public async Task<IReadOnlyList<Line>> MeasureAsync(Bench bench)
    {
        await using var contestants = await Contestants.ConnectAsync(bench);
        var took = SamplesOf(All);
        foreach (var entrant in All)
        {
            await contestants.CycleAsync(entrant, WarmUp, $"shares-{entrant}");
        }

        await Rounds.RunAsync(Alone, All, async entrant =>
        {
            var begun = Stopwatch.GetTimestamp();
            await contestants.CycleAsync(entrant, PerRound, $"shares-{entrant}");
            took[entrant].Add(Stopwatch.GetElapsedTime(begun).TotalMicroseconds / PerRound);
        });

        var each = SamplesOf(All);
        await Rounds.RunAsync(Together, All, async entrant =>
        {
            var begun = Stopwatch.GetTimestamp();
            await Task.WhenAll(Enumerable.Range(0, Tasks).Select(task => Task.Run(() => contestants.CycleAsync(entrant, PerTask, $"shares-{entrant}-{task}"))));
            each[entrant].Add(Tasks * PerTask / Stopwatch.GetElapsedTime(begun).TotalSeconds);
        });

        Entrant[] crowds = [Exclusive, Ours(Kinds[0]), Theirs(Kinds[0])];
        var crowd = SamplesOf(crowds);
        await Rounds.RunAsync(Crowded, crowds, async entrant => crowd[entrant].Add(await PassAsync(contestants, entrant)));
        return
        [
            .. Kinds.Select(share => LineOfTime(share, took)),
            .. Kinds.Select(share => LineOfRate(share, each, $"by {Tasks} tasks on {Tasks} locks")),
            LineOfRate(Kinds[0], crowd, $"by {Tasks} tasks on one lock"),
        ];
    }

    private static Entrant Ours(LockShare share) => new(PeerKind.Coordination, share);

    private static Entrant Theirs(LockShare share) => new(PeerKind.DistributedLock, share);

    private static Dictionary<Entrant, Samples> SamplesOf(IEnumerable<Entrant> entrants) => entrants.ToDictionary(entrant => entrant, _ => new Samples());

    private static async Task<double> PassAsync(Contestants contestants, Entrant entrant)
    {
        var begun = Stopwatch.GetTimestamp();
        var until = begun + (long)(Window.TotalSeconds * Stopwatch.Frequency);
        var counts = await Task.WhenAll(Enumerable.Range(0, Tasks).Select(_ => Task.Run(() => contestants.CycleUntilAsync(entrant, until, $"shares-{entrant}-crowd"))));
        return counts.Sum() / Stopwatch.GetElapsedTime(begun).TotalSeconds;
    }

    private static Line LineOfTime(LockShare share, Dictionary<Entrant, Samples> took)
    {
        var (ours, theirs) = (took[Ours(share)], took[Theirs(share)]);
        return new Line(
            $"acquire + release of {Say(share)}, uncontended, by 1 task: × the exclusive lock ({took[Exclusive].Median:F0} µs) and × DistributedLock's",
            $"{ours.RatioTo(took[Exclusive]):F2} ×, {ours.RatioTo(theirs):F2} × ({ours.Median:F0} µs)",
            $"{theirs.RatioTo(took[Exclusive]):F2} × ({theirs.Median:F0} µs)",
            Target: "≤ 1.3 × the exclusive lock, and faster than DistributedLock's",
            IsReached: ours.RatioTo(took[Exclusive]) <= MostOfExclusive && ours.RatioTo(theirs) < 1);
    }

    private static Line LineOfRate(LockShare share, Dictionary<Entrant, Samples> perSecond, string by)
    {
        var (ours, theirs) = (perSecond[Ours(share)], perSecond[Theirs(share)]);
        return new Line(
            $"acquire + release of {Say(share)} {by}, per second: × the exclusive lock ({perSecond[Exclusive].Median:F0}) and × DistributedLock's",
            $"{ours.RatioTo(perSecond[Exclusive]):F2} ×, {ours.RatioTo(theirs):F2} × ({ours.Median:F0})",
            $"{theirs.RatioTo(perSecond[Exclusive]):F2} × ({theirs.Median:F0})",
            Target: "≥ 1 / 1.3 × the exclusive lock, and more than DistributedLock's",
            IsReached: ours.RatioTo(perSecond[Exclusive]) * MostOfExclusive >= 1 && ours.RatioTo(theirs) > 1);
    }

    private static string Say(LockShare share) => share.Kind == LockShareKind.Permit ? $"a permit of {share.Capacity.Permits}" : $"a {share.Kind.ToString().ToLowerInvariant()}";
}
