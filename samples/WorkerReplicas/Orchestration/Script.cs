using WorkerReplicas.CommandLine;

namespace WorkerReplicas.Orchestration;

/// <summary>The main run: a leader is killed, the next is stopped, the next is paused, with calm in between.</summary>
internal sealed class Script(Adversary adversary, Fleet fleet, RunOptions options)
{
    private static readonly IncidentKind[] Incidents = ProcessSignal.IsSupported
        ? [IncidentKind.Killed, IncidentKind.Stopped, IncidentKind.Paused]
        : [IncidentKind.Killed, IncidentKind.Stopped];

    private static readonly TimeSpan BeforeReplacement = TimeSpan.FromSeconds(1);

    // What is not calm: the start, a takeover after a crash, and one after a pause that is longer than the lease.
    private TimeSpan Calm => (options.Duration - (2 * options.Lease) - TimeSpan.FromSeconds(4)) / (Incidents.Length + 1);

    public async Task PlayAsync(CancellationToken cancellationToken)
    {
        foreach (var incident in Incidents)
        {
            var leader = await adversary.LeaderAsync(cancellationToken);
            await Task.Delay(Calm, cancellationToken);
            await adversary.StrikeAsync(leader, incident, cancellationToken);

            if (incident != IncidentKind.Paused)
            {
                await Task.Delay(BeforeReplacement, cancellationToken);
                await fleet.ReplaceAsync(leader.Replica, cancellationToken);
            }
        }

        await adversary.LeaderAsync(cancellationToken);
        await Task.Delay(Calm, cancellationToken);
    }
}
