using System.Runtime.InteropServices;
using FlashSale;
using FlashSale.CommandLine;
using FlashSale.Workers;
using SampleKit.CommandLine;
using SampleKit.Timeline;

try
{
    if (args is [WorkerHost.Command, var name, var schema])
    {
        return await WorkerHost.RunAsync(name, schema);
    }

    if (args.Contains("--help") || args.Contains("-h"))
    {
        Console.WriteLine(SaleOptions.Help);
        return ExitCode.Succeeded;
    }

    var options = SaleOptions.Parse(args);
    using var interrupted = new CancellationTokenSource();
    using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Interrupt);
    using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Interrupt);
    using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Interrupt);
    using var limit = CancellationTokenSource.CreateLinkedTokenSource(interrupted.Token);
    limit.CancelAfter(Sale.TimeLimit);
    try
    {
        return await new Orchestrator(options, Terminal.Open()).RunAsync(limit.Token);
    }
    catch (OperationCanceledException) when (interrupted.IsCancellationRequested)
    {
        return ExitCode.Interrupted;
    }
    catch (OperationCanceledException) when (limit.IsCancellationRequested)
    {
        await Console.Error.WriteLineAsync($"The sale was not over within {Sale.TimeLimit.TotalSeconds:0} s and was broken off.");
        return ExitCode.Failed;
    }

    void Interrupt(PosixSignalContext signal)
    {
        // The workers are ended before this process is.
        signal.Cancel = true;
        interrupted.Cancel();
    }
}
catch (UsageException e)
{
    await Console.Error.WriteLineAsync(e.Message);
    return ExitCode.Usage;
}
