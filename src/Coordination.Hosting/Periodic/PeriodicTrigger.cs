namespace Coordination.Hosting.Periodic;

/// <summary>The trigger of the one service of a type.</summary>
internal sealed class PeriodicTrigger<TService>(PeriodicRunner runner) : IPeriodicTrigger<TService>
    where TService : ExclusivePeriodicService
{
    public Task RunNowAsync(CancellationToken cancellationToken = default) => runner.RunNowAsync(cancellationToken);
}
