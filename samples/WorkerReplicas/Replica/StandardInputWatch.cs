using Microsoft.Extensions.Hosting;

namespace WorkerReplicas.Replica;

/// <summary>
/// Takes what the process that started this one says on standard input. Stops the replica when that ends, which it does when the other process is gone.
/// </summary>
internal sealed class StandardInputWatch(IHostApplicationLifetime lifetime, StepDownRequest stepDown) : BackgroundService
{
    public const string StepDown = "step down";

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var input = new StreamReader(Console.OpenStandardInput());

        // A read of the console cannot be cancelled: on stop it is left alone.
        while (await input.ReadLineAsync(CancellationToken.None).AsTask().WaitAsync(stoppingToken) is { } line)
        {
            if (line == StepDown)
            {
                stepDown.Make();
            }
        }

        lifetime.StopApplication();
    }
}
