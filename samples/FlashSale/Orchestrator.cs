using Coordination.Testing.EmbeddedRedis;
using FlashSale.CommandLine;
using FlashSale.Report;
using FlashSale.Rounds;
using FlashSale.Workers;
using SampleKit.CommandLine;
using SampleKit.Timeline;
using Spectre.Console;
using StackExchange.Redis;

namespace FlashSale;

/// <summary>Starts the server and the workers, holds round after round, and prints what came of it.</summary>
internal sealed class Orchestrator(SaleOptions options, IAnsiConsole console)
{
    private readonly Chronicle _timeline = new(console);

    // A name of its own for each run: what an earlier one left on a shared server does not matter.
    private readonly string _sale = $"flash-sale:{Guid.NewGuid().ToString("N")[..8]}";

    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        await using var server = options.Redis is null ? await EmbeddedServer.StartAsync(cancellationToken) : null;
        var redis = server?.ConnectionString ?? options.Redis!;
        try
        {
            var settings = ConfigurationOptions.Parse(redis);
            // For INFO, to count commands.
            settings.AllowAdmin = true;
            await using var connection = await ConnectionMultiplexer.ConnectAsync(settings);
            _timeline.Tell(server is null ? $"the server is {string.Join(", ", connection.GetEndPoints().Select(e => e.ToString()))}" : $"a server in this process listens on {redis}");
            await using var fleet = new Fleet();
            await fleet.StartAsync(redis, _timeline, cancellationToken);
            _timeline.Tell($"{Sale.Workers} workers are ready: {string.Join(", ", fleet.Workers.Select(w => $"{w.Name} is process {w.Id}"))}");
            return await HoldAsync(connection, fleet, cancellationToken);
        }
        catch (Exception e) when (e is SaleFailedException or RedisException or TimeoutException or IOException)
        {
            // The server is away or refuses, or a worker came to an end.
            _timeline.Tell($"the sale cannot be held: {e.Message}", Tone.Bad);
            return ExitCode.Failed;
        }
    }

    private async Task<int> HoldAsync(ConnectionMultiplexer connection, Fleet fleet, CancellationToken cancellationToken)
    {
        var runner = new RoundRunner(connection, fleet, _sale, options.UseSignals, _timeline);
        var progress = new RoundProgress(console, _timeline);
        _timeline.Tell("a rehearsal, which does not count");
        foreach (var round in Round.Rehearsals)
        {
            await runner.RunAsync(round, (_, _) => { }, cancellationToken);
        }

        List<RoundResult> results = [];
        foreach (var round in options.Rounds)
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
