using System.Globalization;
using SampleKit.CommandLine;
using Serilog.Events;
using WorkerReplicas.Orchestration;

namespace WorkerReplicas.CommandLine;

/// <summary>What the orchestrator is told.</summary>
/// <param name="Replicas">How many there are.</param>
/// <param name="Lease">The lease duration of each.</param>
/// <param name="Duration">How long the script takes about.</param>
/// <param name="Store">The server; null to start one in this process.</param>
/// <param name="LogLevel">What of the replicas' logs is shown.</param>
/// <param name="Measure">What to do to the leader over and over, instead of the script; null for the script.</param>
/// <param name="Runs">How often, when measuring.</param>
internal sealed record RunOptions(
    int Replicas,
    TimeSpan Lease,
    TimeSpan Duration,
    StoreAddress? Store,
    LogEventLevel LogLevel,
    IncidentKind? Measure,
    int Runs)
{
    public const double MinLease = 1;
    public const double MaxLease = 60;

    public static readonly TimeSpan DefaultLease = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan DefaultDuration = TimeSpan.FromSeconds(32);

    public static string Help => $"""
        One of several replicas works; it is killed, stopped, paused and asked to step down, and
        another takes over; in the end all are replaced by a new version, one after another, as in a
        rolling update, which costs two terms at most: that of the old leader, and one more.

          dotnet run --project samples/WorkerReplicas -- [options]

          --replicas N      how many replicas: 2 to 20; 3 by default
          --lease S         how long a crash blocks the work, in seconds: {MinLease} to {MaxLease}; {Format(DefaultLease)} by default
          --duration S      how long all of it takes about, in seconds: four leases and 15 s at least, 600 at most; {Format(DefaultDuration)} by default
          --redis HOST:PORT the server, as StackExchange.Redis takes it; else {StoreAddress.RedisVariable} of the environment; else one in this process
          --postgres "Host=…" a PostgreSQL server instead, as Npgsql takes it; else {StoreAddress.PostgresVariable} of the environment
          --log LEVEL       what of the replicas' logs is shown; Warning by default
          --help            this text

        One replica by itself, as a container would run it, and a ledger for such replicas:

          dotnet run --project samples/WorkerReplicas -- ledger [--listen 127.0.0.1:PORT]
          dotnet run --project samples/WorkerReplicas -- replica --ledger 127.0.0.1:PORT [--lock NAME] [--redis HOST:PORT | --postgres "Host=…"] [--name NAME] [--lease S] [--rank VERSION] [--log LEVEL]

        Takeover times over many runs:

          dotnet run --project samples/WorkerReplicas -- --measure kill|term [--runs N] [--lease S] [--redis HOST:PORT | --postgres "Host=…"]

        Ends with 0 when exclusion held, 1 when it did not, the update took more terms or the script could not be played, 2 when the command line is wrong, 130 on Ctrl+C.
        """;

    public static RunOptions Parse(IEnumerable<string> words)
    {
        var arguments = new Arguments(words, ["--replicas", "--lease", "--duration", "--redis", "--postgres", "--log", "--measure", "--runs"], []);
        var lease = arguments.Seconds("--lease", DefaultLease, MinLease, MaxLease);
        var shortest = (4 * lease) + TimeSpan.FromSeconds(15);
        return new RunOptions(
            arguments.Number("--replicas", byDefault: 3, min: 2, max: 20),
            lease,
            arguments.Seconds("--duration", DefaultDuration > shortest ? DefaultDuration : shortest, shortest.TotalSeconds, max: 600),
            StoreAddress.Find(arguments),
            ReplicaOptions.ParseLevel(arguments.Text("--log") ?? nameof(LogEventLevel.Warning)),
            arguments.Text("--measure") switch
            {
                null => null,
                "kill" => IncidentKind.Killed,
                "term" => IncidentKind.Stopped,
                var other => throw new UsageException($"--measure is '{other}', and has to be kill or term."),
            },
            arguments.Number("--runs", byDefault: 20, min: 1, max: 1000));
    }

    public static string Format(TimeSpan time) => time.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture);
}
