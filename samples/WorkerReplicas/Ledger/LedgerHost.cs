using System.Net;
using System.Runtime.InteropServices;
using SampleKit.CommandLine;
using SampleKit.Timeline;

namespace WorkerReplicas.Ledger;

/// <summary>The ledger by itself, for replicas that are started one by one.</summary>
internal static class LedgerHost
{
    /// <summary>The first word of the command line that asks for it.</summary>
    public const string Command = "ledger";

    private const int DefaultPort = 7400;

    public static async Task<int> RunAsync(IEnumerable<string> words)
    {
        var text = new Arguments(words, ["--listen"], []).Text("--listen");
        var endPoint = text is null ? new IPEndPoint(IPAddress.Loopback, DefaultPort)
            : IPEndPoint.TryParse(text, out var parsed) ? parsed
            : throw new UsageException($"--listen is '{text}', and has to be an address and a port, such as 127.0.0.1:{DefaultPort}.");

        var journal = new Journal();
        journal.TermBegan += (term, _) => Console.WriteLine($"{term.Replica} leads with token {term.Token}{(term.TokenGrew ? "" : ", which is no greater than one before it")}");
        journal.TermEnded += term => Console.WriteLine($"{term.Replica} has stopped working, after {term.Written} lines");
        journal.FireBegan += fire => Console.WriteLine($"{fire.Replica} runs the report of {Format.Time(fire.Time)}");
        journal.LineRefused += term => Console.WriteLine($"{term.Replica} writes late and is refused: token {term.Token} is outdated");

        var stopped = new TaskCompletionSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        await using var server = new LedgerServer(journal, endPoint);
        Console.WriteLine($"the ledger listens on {server.EndPoint}");
        await stopped.Task;
        return ExitCode.Succeeded;

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stopped.TrySetResult();
        }
    }
}
