using SampleKit.Timeline;

namespace WorkerReplicas.Orchestration;

/// <summary>Every replica is told to stop and replaced by a new process, one after another, as a deployment does it.</summary>
internal sealed class RollingUpdate(Adversary adversary, Fleet fleet, Chronicle timeline)
{
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        timeline.Tell("all replicas are replaced, one after another");
        foreach (var name in fleet.Names)
        {
            // Not before the one before it has joined: then there is always somebody to take over.
            var leader = await adversary.LeaderAsync(cancellationToken);
            if (leader.Replica == name)
            {
                await adversary.StrikeAsync(leader, IncidentKind.Replaced, cancellationToken);
            }
            else
            {
                timeline.Tell(name, "is told to stop (SIGTERM), while it stands by");
                fleet[name].Terminate();
            }

            await fleet.ReplaceAsync(name, cancellationToken);
        }
    }
}
