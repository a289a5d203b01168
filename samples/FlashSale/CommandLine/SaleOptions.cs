using Coordination;
using FlashSale.Rounds;
using Microsoft.Extensions.DependencyInjection;
using SampleKit.CommandLine;
using SampleKit.Processes;

namespace FlashSale.CommandLine;

/// <summary>What the run is told.</summary>
/// <param name="Redis">The server; null to start one in this process.</param>
/// <param name="Postgres">The PostgreSQL server; null to start one, where it is installed.</param>
/// <param name="Rounds">What to hold, in order.</param>
/// <param name="UseSignals">Whether processes are really stopped; else their locks are let run out while they go on.</param>
internal sealed record SaleOptions(string? Redis, string? Postgres, IReadOnlyList<Round> Rounds, bool UseSignals)
{
    /// <summary>By the environment, because a connection string may hold a password, which any user of the machine could read on a command line.</summary>
    public const string RedisVariable = "COORDINATION_REDIS";

    /// <summary>The same for PostgreSQL.</summary>
    public const string PostgresVariable = "COORDINATION_POSTGRES";

    private static readonly ServerOption<RedisStoreOptions> RedisServer = new("--redis", RedisVariable, (builder, address) => builder.UseRedis(address));

    private static readonly ServerOption<PostgreSqlStoreOptions> PostgresServer = new("--postgres", PostgresVariable, (builder, address) => builder.UsePostgreSql(address));

    public static string Help => $"""
        {Sale.Items} items, {Sale.Buyers} buyers from {Sale.Workers} processes: with no lock, with a basic one, with this project's, and with none needed.

          dotnet run --project samples/FlashSale -- [options]

          --redis HOST:PORT the server, as StackExchange.Redis takes it; else {RedisVariable} of the environment; else one in this process
          --postgres "Host=…" the PostgreSQL server of the rounds 7, as Npgsql takes it; else {PostgresVariable} of the environment; else one that is
                            started for them, where PostgreSQL is installed; else they are left out
          --rounds LIST     only these of {string.Join(", ", Round.All.Select(round => round.Number))}, separated by commas
          --no-signals      stop no process: the one that is to be paused goes on without its lock instead, as it does on Windows
          --help            this text

        Ends with 0 when every round that has to be exact was, 1 when one was not or the sale could not be held, 2 when the command line is wrong, 130 on Ctrl+C.
        """;

    public static SaleOptions Parse(IEnumerable<string> words)
    {
        const string NoSignals = "--no-signals";
        var arguments = new Arguments(words, ["--redis", "--postgres", "--rounds"], [NoSignals]);
        return new SaleOptions(
            RedisServer.Find(arguments),
            PostgresServer.Find(arguments),
            ParseRounds(arguments.Text("--rounds")),
            ProcessSignal.IsSupported && !arguments.Has(NoSignals));
    }

    private static IReadOnlyList<Round> ParseRounds(string? numbers) => numbers is null
        ? Round.All
        : [.. numbers.Split(',').Select(number => Round.All.FirstOrDefault(round => round.Number == number)
            ?? throw new UsageException($"--rounds has '{number}', and has to be some of {string.Join(",", Round.All.Select(round => round.Number))}."))];
}
