using Coordination.Hosting.Execution;
using Coordination.Hosting.Services;

namespace Coordination.Hosting.Terms;

/// <summary>Does the work of a term, and asks for its end when the term is as long as it may be.</summary>
internal sealed class TermWork(ExclusiveService service, ExclusiveBackgroundService work, TimeProvider time)
{
    public async Task RunAsync(ILockLease lease, WorkEnding ending, IServiceProvider services, CancellationToken stoppingToken)
    {
        using var limit = service.Options.MaxTerm is { } longest
            ? time.CreateTimer(static ending => ((WorkEnding)ending!).Ask(WorkEnd.MaxTermReached, TimeSpan.Zero), ending, longest, Timeout.InfiniteTimeSpan)
            : null;
        await work.RunTermAsync(new ExclusiveTerm(lease, services, ending), stoppingToken).ConfigureAwait(false);
    }
}
