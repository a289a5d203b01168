using Microsoft.Extensions.Hosting;

namespace Coordination.Hosting.RunOnce;

/// <summary>
/// Has all work that is run once done, before any part of the host begins to work. One service for all of them, so that they are done one after another also
/// where the host starts its services concurrently.
/// </summary>
internal sealed class RunOnceSteps(IEnumerable<RunOnceStep> steps) : IHostedLifecycleService
{
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        foreach (var step in steps)
        {
            if (!await step.RunAsync(cancellationToken).ConfigureAwait(false))
            {
                // The host stops, and what comes next may build on this one.
                return;
            }
        }
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
