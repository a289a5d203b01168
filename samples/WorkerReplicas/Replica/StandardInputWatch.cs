using Microsoft.Extensions.Hosting;

namespace WorkerReplicas.Replica;

/// <summary>Stops the replica when its standard input ends, which it does when the process that started it is gone.</summary>
internal sealed class StandardInputWatch(IHostApplicationLifetime lifetime) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await using var input = Console.OpenStandardInput();

        // A read of the console cannot be cancelled: on stop it is left alone.
        while (await input.ReadAsync(new byte[256], CancellationToken.None).AsTask().WaitAsync(stoppingToken) > 0)
        {
            // Nothing is expected; only the end counts.
        }

        lifetime.StopApplication();
    }
}
