using System.Globalization;
using System.Net;
using SampleKit.CommandLine;
using Serilog.Events;

namespace WorkerReplicas.CommandLine;

/// <summary>What one replica is told.</summary>
/// <param name="Name">Its name, which no other replica that runs has.</param>
/// <param name="Store">The server.</param>
/// <param name="Ledger">Where the ledger listens.</param>
/// <param name="LockName">What the leader has.</param>
/// <param name="Lease">How long a crash blocks the work.</param>
/// <param name="Rank">How much it is to be preferred as the leader: its version. Null for no preference.</param>
/// <param name="LogLevel">What of its log is shown.</param>
/// <param name="EndWithStandardInput">Whether it is below an orchestrator, which it hears on standard input, and ends with it.</param>
internal sealed record ReplicaOptions(
    string Name,
    StoreAddress Store,
    IPEndPoint Ledger,
    string LockName,
    TimeSpan Lease,
    int? Rank,
    LogEventLevel LogLevel,
    bool EndWithStandardInput)
{
    /// <summary>The first word of the command line that asks for a replica.</summary>
    public const string Command = "replica";

    private const int MaxRank = 1_000_000;

    /// <summary>Below an orchestrator the time line has the time and the replica's name already, and one line for each event.</summary>
    public string LogTemplate => EndWithStandardInput
        ? "{Level:u3} {Message:lj}{NewLine}"
        : "{Timestamp:HH:mm:ss.fff} {Level:u3} {Message:lj}{NewLine}{Exception}";

    public static ReplicaOptions Parse(IEnumerable<string> words)
    {
        var arguments = new Arguments(words, ["--name", "--redis", "--postgres", "--ledger", "--lock", "--lease", "--rank", "--log"], ["--end-with-stdin"]);
        return new ReplicaOptions(
            arguments.Text("--name") ?? Environment.MachineName,
            StoreAddress.Find(arguments)
                ?? throw new UsageException($"A replica needs a server: --redis host:port or --postgres Host=…, or {StoreAddress.RedisVariable} or {StoreAddress.PostgresVariable} in the environment."),
            IPEndPoint.TryParse(arguments.Text("--ledger") ?? "", out var ledger)
                ? ledger
                : throw new UsageException("A replica needs a ledger: --ledger 127.0.0.1:port. Start one with the command 'ledger', or take that of a run, which prints it at its start."),
            arguments.Text("--lock") ?? "worker-replicas",
            arguments.Seconds("--lease", RunOptions.DefaultLease, RunOptions.MinLease, RunOptions.MaxLease),
            arguments.Text("--rank") is null ? null : arguments.Number("--rank", byDefault: 0, min: 0, max: MaxRank),
            ParseLevel(arguments.Text("--log") ?? nameof(LogEventLevel.Information)),
            arguments.Has("--end-with-stdin"));
    }

    /// <summary>The same as a command line. The server is not on it: it may hold a password, which any user of the machine could read there.</summary>
    public IEnumerable<string> ToArguments() =>
    [
        Command,
        "--name", Name,
        "--ledger", Ledger.ToString(),
        "--lock", LockName,
        "--lease", RunOptions.Format(Lease),
        .. Rank is { } rank ? ["--rank", rank.ToString(CultureInfo.InvariantCulture)] : Array.Empty<string>(),
        "--log", LogLevel.ToString(),
        .. EndWithStandardInput ? ["--end-with-stdin"] : Array.Empty<string>(),
    ];

    public static LogEventLevel ParseLevel(string text) =>
        Enum.TryParse<LogEventLevel>(text, ignoreCase: true, out var level) && Enum.IsDefined(level)
            ? level
            : throw new UsageException($"--log is '{text}', and has to be one of {string.Join(", ", Enum.GetNames<LogEventLevel>())}.");
}
