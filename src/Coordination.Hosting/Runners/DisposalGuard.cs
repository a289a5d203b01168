namespace Coordination.Hosting.Runners;

/// <summary>Ends the runners of a container when the container disposes it, which disposes first what it made last.</summary>
internal sealed class DisposalGuard(ExclusiveServiceRunners runners) : IAsyncDisposable, IDisposable
{
    public async ValueTask DisposeAsync() => await runners.EndAsync().ConfigureAwait(false);

    public void Dispose() => runners.EndAsync().GetAwaiter().GetResult();
}
