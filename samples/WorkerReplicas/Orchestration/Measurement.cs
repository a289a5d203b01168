using WorkerReplicas.CommandLine;

namespace WorkerReplicas.Orchestration;

/// <summary>The same thing happens to the leader over and over.</summary>
internal sealed class Measurement(Adversary adversary, Fleet fleet, RunOptions options)
{
    // Long enough for a new process to have joined the queue.
    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(2);

    public async Task RunAsync(IncidentKind incident, CancellationToken cancellationToken)
    {
        for (var run = 0; run < options.Runs; run++)
        {
            var leader = await adversary.LeaderAsync(cancellationToken);

            // Spread over the time between two renewals: the moment decides how much of the lease is left.
            await Task.Delay(Calm + (options.Lease / 3 * run / options.Runs), cancellationToken);
            await adversary.StrikeAsync(leader, incident, cancellationToken);
            await fleet.ReplaceAsync(leader.Replica, cancellationToken);
        }
    }
}
