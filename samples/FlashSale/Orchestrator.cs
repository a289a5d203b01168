using Coordination.Testing.EmbeddedRedis;
using FlashSale.CommandLine;
using FlashSale.Report;
using FlashSale.Rounds;
using FlashSale.Workers;
using Npgsql;
using SampleKit.CommandLine;
using SampleKit.Servers;
using SampleKit.Timeline;
using Spectre.Console;
using StackExchange.Redis;

namespace FlashSale;

/// <summary>Starts the server and the workers, holds round after round, and prints what came of it.</summary>
internal sealed class Orchestrator(SaleOptions options, IAnsiConsole console)
{
    private readonly Chronicle _timeline = new(console);

    // A name of its own for each run: what an earlier one left on a shared server does not matter.
    private readonly string _run = Guid.NewGuid().ToString("N")[..8];

    private string Schema => $"flash_sale_{_run}";

    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        await using var server = options.Redis is null ? await EmbeddedServer.StartAsync(cancellationToken) : null;
        var redis = server?.ConnectionString ?? options.Redis!;
        try
        {
            await using var connection = await ConnectAsync(redis);
            _timeline.Tell(server is null ? $"the server is {Format.Servers(connection.GetEndPoints())}" : $"a server in this process listens on {redis}");
            await using var postgresServer = await StartPostgresAsync(cancellationToken);
            var postgres = !options.Rounds.Any(round => round.IsInPostgres) ? null : options.Postgres ?? postgresServer?.ConnectionString;
            await using var shop = postgres is null ? null : await PostgresShop.OpenAsync(postgres, Schema, cancellationToken);
            await using var fleet = new Fleet();
            await fleet.StartAsync(new ServerAddresses(redis, postgres, Schema), _timeline, cancellationToken);
            _timeline.Tell($"{Sale.Workers} workers are ready: {string.Join(", ", fleet.Workers.Select(w => $"{w.Name} is process {w.Id}"))}");
            return await HoldAsync(connection, shop, fleet, cancellationToken);
        }
        catch (Exception e) when (e is SaleFailedException or ServerNotStartedException or RedisException or NpgsqlException or TimeoutException or IOException)
        {
            // The server is away or refuses, or a worker came to an end, as Ctrl+C ends both.
            cancellationToken.ThrowIfCancellationRequested();
            _timeline.Tell($"the sale cannot be held: {e.Message}", Tone.Bad);
            return ExitCode.Failed;
        }
    }

    private static async Task<ConnectionMultiplexer> ConnectAsync(string redis)
    {
        var settings = ConfigurationOptions.Parse(redis);
        // For INFO, to count commands.
        settings.AllowAdmin = true;
        try
        {
            return await ConnectionMultiplexer.ConnectAsync(settings);
        }
        catch (RedisConnectionException e)
        {
            throw new SaleFailedException($"Redis at {Format.Servers(settings.EndPoints)} cannot be used ({e.FailureType}); name a server that runs, and its password where it has one, by --redis");
        }
    }

    /// <summary>A server for the rounds in PostgreSQL, unless one was named.</summary>
    private async Task<LocalPostgres?> StartPostgresAsync(CancellationToken cancellationToken)
    {
        var rounds = options.Rounds.Where(round => round.IsInPostgres).ToList();
        if (rounds.Count == 0 || options.Postgres is not null)
        {
            return null;
        }

        var server = await LocalPostgres.TryStartAsync(cancellationToken);
        if (server is null && rounds.Count == options.Rounds.Count)
        {
            throw new SaleFailedException("these rounds need PostgreSQL, which is not installed here; name a server by --postgres");
        }

        _timeline.Tell(server is null
            ? $"rounds {string.Join(", ", rounds.Select(round => round.Number))} are left out: PostgreSQL is not installed here, and --postgres names none"
            : "a PostgreSQL server was started for the rounds that need one");
        return server;
    }

    private async Task<int> HoldAsync(ConnectionMultiplexer connection, PostgresShop? shop, Fleet fleet, CancellationToken cancellationToken)
    {
        var runner = new RoundRunner(connection, shop, fleet, $"flash-sale:{_run}", options.UseSignals, _timeline);
        var progress = new RoundProgress(console, _timeline);
        _timeline.Tell("a rehearsal, which does not count");
        foreach (var round in Round.Rehearsals)
        {
            await runner.RunAsync(round, (_, _) => { }, cancellationToken);
        }

        List<RoundResult> results = [];
        foreach (var round in options.Rounds.Where(round => shop is not null || !round.IsInPostgres))
        {
            _timeline.Tell($"round {round.Number}: {round.Title}", Tone.Plain);
            var result = await progress.ShowAsync(tell => runner.RunAsync(round, tell, cancellationToken));
            _timeline.Tell(FinalTable.Summarize(result), result.IsExact ? Tone.Good : Tone.Bad);
            results.Add(result);
        }

        new FinalTable(console, results).Print();
        return results.TrueForAll(r => r.HasPassed) ? ExitCode.Succeeded : ExitCode.Failed;
    }
}
