using SampleKit.Processes;
using WorkerReplicas.CommandLine;

namespace WorkerReplicas.Orchestration;

/// <summary>The main run: a leader is killed, the next is stopped, paused, asked to step down; then all are replaced. With calm in between.</summary>
internal sealed class Script(Adversary adversary, Fleet fleet, RollingUpdate update, RunOptions options)
{
    private static readonly IncidentKind[] Incidents = ProcessSignal.IsSupported
        ? [IncidentKind.Killed, IncidentKind.Stopped, IncidentKind.Paused, IncidentKind.SteppedDown]
        : [IncidentKind.Killed, IncidentKind.Stopped, IncidentKind.SteppedDown];

    private static readonly TimeSpan BeforeReplacement = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ShortestCalm = TimeSpan.FromSeconds(1);

    private readonly TimeSpan _until = MonotonicClock.Now + options.Duration;

    public async Task PlayAsync(CancellationToken cancellationToken)
    {
        for (var i = 0; i < Incidents.Length; i++)
        {
            var leader = await adversary.LeaderAsync(cancellationToken);
            await Task.Delay(Calm(incidentsLeft: Incidents.Length + 1 - i), cancellationToken);
            await adversary.StrikeAsync(leader, Incidents[i], cancellationToken);

            if (Incidents[i] is IncidentKind.Killed or IncidentKind.Stopped)
            {
                await Task.Delay(BeforeReplacement, cancellationToken);
                await fleet.ReplaceAsync(leader.Replica, cancellationToken);
            }
        }

        await adversary.LeaderAsync(cancellationToken);
        await Task.Delay(Calm(incidentsLeft: 1), cancellationToken);
        await update.RunAsync(cancellationToken);
        await Task.Delay(Calm(incidentsLeft: 0), cancellationToken);
    }

    /// <summary>How long to let a leader work: an even part of the time that is left when each incident has lasted for its lease, as a rolling update does about.</summary>
    private TimeSpan Calm(int incidentsLeft)
    {
        var left = _until - MonotonicClock.Now - (incidentsLeft * (options.Lease + BeforeReplacement));
        return TimeSpan.FromTicks(Math.Max(ShortestCalm.Ticks, left.Ticks / (incidentsLeft + 1)));
    }
}
