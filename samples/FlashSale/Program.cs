using FlashSale;
using FlashSale.CommandLine;
using FlashSale.Workers;
using SampleKit.CommandLine;
using SampleKit.Processes;
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
    using var interruption = new Interruption();
    using var limit = CancellationTokenSource.CreateLinkedTokenSource(interruption.Token);
    limit.CancelAfter(Sale.TimeLimit);
    try
    {
        return await new Orchestrator(options, Terminal.Open()).RunAsync(limit.Token);
    }
    catch (Exception) when (interruption.WasHeard)
    {
        return ExitCode.Interrupted;
    }
    catch (OperationCanceledException) when (limit.IsCancellationRequested)
    {
        await Console.Error.WriteLineAsync($"The sale was not over within {Sale.TimeLimit.TotalSeconds:0} s and was broken off.");
        return ExitCode.Failed;
    }
}
catch (UsageException e)
{
    await Console.Error.WriteLineAsync(e.Message);
    return ExitCode.Usage;
}
