using SampleKit.CommandLine;
using SampleKit.Processes;
using SampleKit.Timeline;
using WorkerReplicas.CommandLine;
using WorkerReplicas.Ledger;
using WorkerReplicas.Orchestration;
using WorkerReplicas.Replica;

try
{
    if (args is [ReplicaOptions.Command, .. var words])
    {
        return await ReplicaHost.RunAsync(ReplicaOptions.Parse(words));
    }

    if (args is [LedgerHost.Command, .. var ledgerWords])
    {
        return await LedgerHost.RunAsync(ledgerWords);
    }

    if (args.Contains("--help") || args.Contains("-h"))
    {
        Console.WriteLine(RunOptions.Help);
        return ExitCode.Succeeded;
    }

    var options = RunOptions.Parse(args);
    using var interruption = new Interruption();
    try
    {
        return await new Orchestrator(options, Terminal.Open()).RunAsync(interruption.Token);
    }
    catch (Exception) when (interruption.WasHeard)
    {
        return ExitCode.Interrupted;
    }
}
catch (UsageException e)
{
    await Console.Error.WriteLineAsync(e.Message);
    return ExitCode.Usage;
}
