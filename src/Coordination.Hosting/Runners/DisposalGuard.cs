namespace Coordination.Hosting.Runners;

/// <summary>
/// Ends all runners as soon as their container begins to be disposed. A container disposes what it made last first: so this one is made when the first loop
/// begins, after all that the services of the host are made of.
/// </summary>
internal sealed class DisposalGuard(ExclusiveServiceRunners runners) : IAsyncDisposable, IDisposable
{
    public async ValueTask DisposeAsync() => await runners.EndAsync().ConfigureAwait(false);

    /// <inheritdoc cref="ExclusiveServiceRunners.End"/>
    public void Dispose() => runners.End();
}
