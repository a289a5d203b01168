using Coordination;
using Coordination.Testing.EmbeddedRedis;
using SampleKit.CommandLine;
using SampleKit.Processes;
using SampleKit.Timeline;
using Spectre.Console;
using WorkerReplicas.CommandLine;
using WorkerReplicas.Ledger;
using WorkerReplicas.Report;

namespace WorkerReplicas.Orchestration;

/// <summary>Starts the server, the ledger and the replicas, has the script played, and judges what came of it.</summary>
internal sealed class Orchestrator(RunOptions options, IAnsiConsole console)
{
    private static readonly TimeSpan ServerPatience = TimeSpan.FromSeconds(40);
    private static readonly TimeSpan BetweenPings = TimeSpan.FromMilliseconds(200);

    private readonly Chronicle _timeline = new(console);

    // A name of its own for each run: what an earlier one left on a shared server does not matter.
    private readonly string _lockName = $"worker-replicas-{Guid.NewGuid().ToString("N")[..8]}";

    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        await using var server = options.Store is null ? await EmbeddedServer.StartAsync(cancellationToken) : null;
        var store = options.Store ?? new StoreAddress(server!.ConnectionString, IsPostgres: false);
        _timeline.Tell(server is null ? $"the server is {store.Name}" : $"a server in this process listens on {store.Name}");

        await using var observer = new LeaseObserver(store, _lockName);
        if (!await RepliesAsync(observer, cancellationToken))
        {
            return ExitCode.Failed;
        }

        var journal = new Journal();
        new Narrator(_timeline).Watch(journal);
        await using var ledger = new LedgerServer(journal);
        _timeline.Tell($"the ledger listens on {ledger.EndPoint}; its lock is {_lockName}");

        await using var fleet = new Fleet(ReplicaOptions(store, ledger), _timeline);
        fleet.StartAll(options.Replicas);
        var adversary = new Adversary(fleet, ledger, observer, _timeline, options.Lease);
        var update = new RollingUpdate(adversary, fleet, _timeline);
        var failure = await PlayAsync(adversary, fleet, update, cancellationToken);

        var endOfRun = MonotonicClock.Now;
        await fleet.StopAsync(leader: journal.Terms.LastOrDefault(t => t.EndedAt is null)?.Replica);

        var verdict = Judge.Examine(journal.Terms, journal.Fires, update.Completed, endOfRun);
        new FinalReport(console, verdict).Print(options);
        if (failure is not null)
        {
            console.MarkupLine($"[red]{Markup.Escape(failure)}[/]");
        }

        return failure is null && verdict is { ExclusionHeld: true, Update: null or { IsWithinLimit: true } } ? ExitCode.Succeeded : ExitCode.Failed;
    }

    /// <summary>Whether the server replies within the patience that a busy machine deserves.</summary>
    private async Task<bool> RepliesAsync(LeaseObserver observer, CancellationToken cancellationToken)
    {
        var until = MonotonicClock.Now + ServerPatience;
        while (true)
        {
            try
            {
                await observer.PingAsync(cancellationToken);
                return true;
            }
            catch (LockStoreException e) when (e.IsTransient && MonotonicClock.Now < until)
            {
                await Task.Delay(BetweenPings, cancellationToken);
            }
            catch (LockStoreException e)
            {
                _timeline.Tell($"the server cannot be used: {e.Message}", Tone.Bad);
                return false;
            }
        }
    }

    /// <summary>Plays what was asked for.</summary>
    /// <returns>What went wrong; null when nothing did.</returns>
    private async Task<string?> PlayAsync(Adversary adversary, Fleet fleet, RollingUpdate update, CancellationToken cancellationToken)
    {
        try
        {
            if (options.Measure is { } incident)
            {
                await new Measurement(adversary, fleet, options).RunAsync(incident, cancellationToken);
            }
            else
            {
                await new Script(adversary, fleet, update, options).PlayAsync(cancellationToken);
            }

            return null;
        }
        catch (TimeoutException e)
        {
            return e.Message;
        }
    }

    private ReplicaOptions ReplicaOptions(StoreAddress store, LedgerServer ledger) => new(
        Name: "",
        store,
        ledger.EndPoint,
        _lockName,
        options.Lease,

        // Takeover times are measured without a preference, which asks the server once more when a term ends.
        Rank: options.Measure is null ? 1 : null,
        options.LogLevel,
        EndWithStandardInput: true);
}
