using Microsoft.Extensions.Hosting;

namespace Coordination.Hosting.Tests.Runners;

/// <summary>A lifetime of a harness that tells nobody that it has started.</summary>
internal sealed class SilentLifetime : IHostApplicationLifetime
{
    public CancellationToken ApplicationStarted => CancellationToken.None;

    public CancellationToken ApplicationStopping => CancellationToken.None;

    public CancellationToken ApplicationStopped => CancellationToken.None;

    public void StopApplication()
    {
    }
}
