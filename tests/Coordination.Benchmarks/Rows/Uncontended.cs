using System.Diagnostics;
using Coordination.Benchmarks.Peers;
using Coordination.Benchmarks.Reports;

namespace Coordination.Benchmarks.Rows;

internal sealed class Uncontended : IRow
{
    private const double Target = 1.15;
    private const int WarmUp = 2000;
    private const int PerRound = 400;
    private const int Count = 45;

    public string Name => "uncontended";

    public string Summary => "acquire and release, one after another, against the two bare commands";

    public async Task<IReadOnlyList<Line>> MeasureAsync(Bench bench)
    {
        await using var contestants = await Contestants.ConnectAsync(bench);
        var took = Contestants.All.ToDictionary(kind => kind, _ => new Samples());
        foreach (var kind in Contestants.All)
        {
            await contestants.CycleAsync(kind, WarmUp, $"uncontended-{kind}");
        }

        await Rounds.RunAsync(Count, Contestants.All, async kind =>
        {
            var begun = Stopwatch.GetTimestamp();
            await contestants.CycleAsync(kind, PerRound, $"uncontended-{kind}");
            took[kind].Add(Stopwatch.GetElapsedTime(begun).TotalMicroseconds / PerRound);
        });
        return [LineOf(PeerKind.Coordination, "AcquireAsync", took), LineOf(PeerKind.CoordinationTry, "TryAcquireAsync", took)];
    }

    private static Line LineOf(PeerKind ours, string call, Dictionary<PeerKind, Samples> took)
    {
        var ratio = Ratio(ours);
        return new Line(
            $"acquire + release, uncontended, by {call}: × the bare commands ({took[PeerKind.Raw].Median:F0} µs)",
            Say(ours),
            Say(PeerKind.DistributedLock),
            Say(PeerKind.RedLock),
            $"≤ {Target} × and faster than both",
            ratio <= Target && ratio < Ratio(PeerKind.DistributedLock) && ratio < Ratio(PeerKind.RedLock));

        double Ratio(PeerKind kind) => took[kind].RatioTo(took[PeerKind.Raw]);

        string Say(PeerKind kind) => $"{Ratio(kind):F2} × ({took[kind].Median:F0} µs)";
    }
}
