namespace Coordination.Testing;

/// <summary>The service of a harness, with the harness around it.</summary>
internal sealed class ObservedService<TService>(TService service, TermObservation observation) : ExclusiveBackgroundService
    where TService : ExclusiveBackgroundService
{
    protected override Task ExecuteExclusiveAsync(ExclusiveTerm term, CancellationToken stoppingToken) => observation.TryBegin(term)
        ? observation.ObserveAsync(() => service.RunTermAsync(term, stoppingToken))
        : Task.Delay(Timeout.InfiniteTimeSpan, stoppingToken);
}
