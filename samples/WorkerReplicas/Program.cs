using System.Runtime.InteropServices;
using SampleKit.CommandLine;
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
    using var interrupted = new CancellationTokenSource();
    using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Interrupt);
    using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Interrupt);
    using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Interrupt);
    try
    {
        return await new Orchestrator(options, Terminal.Open()).RunAsync(interrupted.Token);
    }
    catch (OperationCanceledException) when (interrupted.IsCancellationRequested)
    {
        return ExitCode.Interrupted;
    }

    void Interrupt(PosixSignalContext signal)
    {
        // The replicas are ended before this process is.
        signal.Cancel = true;
        interrupted.Cancel();
    }
}
catch (UsageException e)
{
    await Console.Error.WriteLineAsync(e.Message);
    return ExitCode.Usage;
}
