using SampleKit.Processes;
using SampleKit.Timeline;

namespace WorkerReplicas.Orchestration;

/// <summary>
/// Every replica is replaced by one of the next version, as a deployment does it that may run one more at a time: a new one starts, and once it stands by, an old one is told to stop. That is the leader
/// as long as the leader is an old one: so each stop would cost a term, if the lock passed to whoever has waited for longest, which is to be stopped next.
/// </summary>
internal sealed class RollingUpdate(Adversary adversary, Fleet fleet, Chronicle timeline)
{
    /// <summary>What was done; null until all of it was.</summary>
    public CompletedUpdate? Completed { get; private set; }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        List<string> old = [.. fleet.Names];
        var completed = new CompletedUpdate(old.Count, MonotonicClock.Now);
        timeline.Tell("all replicas are replaced by a new version, one after another, the leader first");
        while (old.Count > 0)
        {
            var leader = await adversary.LeaderAsync(cancellationToken);
            var name = old.Find(name => name == leader.Replica) ?? old[0];
            fleet.StartSuccessor(name);

            // Not before the new one has joined, and the one before it has taken over, if it was to.
            leader = await adversary.LeaderAsync(cancellationToken);
            if (leader.Replica == name && leader.EndedAt is null)
            {
                await adversary.StrikeAsync(leader, IncidentKind.Replaced, cancellationToken);
            }
            else
            {
                timeline.Tell(name, "is told to stop (SIGTERM), while it stands by");
                fleet[name].Terminate();
            }

            await fleet.RetireAsync(name, cancellationToken);
            old.Remove(name);
        }

        await adversary.LeaderAsync(cancellationToken);
        Completed = completed;
    }
}
