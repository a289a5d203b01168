namespace Coordination.Testing;

/// <summary>The service of a harness, with the harness around it.</summary>
internal sealed class ObservedService<TService>(TService service, TermObservation observation) : ExclusiveBackgroundService
    where TService : ExclusiveBackgroundService
{
    public override Task TermStartingAsync(ExclusiveTerm term, CancellationToken cancellationToken) => service.TermStartingAsync(term, cancellationToken);

    public override Task TermStoppingAsync(ExclusiveTerm term, CancellationToken cancellationToken) => service.TermStoppingAsync(term, cancellationToken);

    public override Task TermStoppedAsync(EndedTerm term) => service.TermStoppedAsync(term);

    protected override Task ExecuteExclusiveAsync(ExclusiveTerm term, CancellationToken stoppingToken) => observation.TryBegin(term)
        ? observation.ObserveAsync(() => service.RunTermAsync(term, stoppingToken))
        : Task.Delay(Timeout.InfiniteTimeSpan, stoppingToken);
}
