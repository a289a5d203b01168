using FlashSale.Stock;
using FlashSale.Workers;
using SampleKit.Processes;
using SampleKit.Timeline;
using StackExchange.Redis;

namespace FlashSale.Rounds;

/// <summary>Holds one round with all workers, and looks at the ledger when it is over.</summary>
internal sealed class RoundRunner(IConnectionMultiplexer connection, PostgresShop? postgres, Fleet fleet, string sale, bool useSignals, Chronicle timeline)
{
    private readonly CommandCount _commands = new(connection);

    /// <param name="round">What to do.</param>
    /// <param name="progress">Told how many buyers have their result, and how many of them an item.</param>
    /// <param name="cancellationToken">Breaks it off.</param>
    public async Task<RoundResult> RunAsync(Round round, Action<int, int> progress, CancellationToken cancellationToken)
    {
        var plan = new RoundPlan($"{sale}:{round.Number}", round.Kind, round.Segments, 0, Sale.Buyers / Sale.Workers, round.Incident, useSignals);
        var warehouse = WarehouseOf(round, plan);
        try
        {
            await warehouse.FillAsync(Sale.Items);
            var commandsBefore = round.IsInPostgres ? null : await _commands.ReadAsync();
            var begun = MonotonicClock.Now;
            Open(plan);
            var (done, refused) = await FollowAsync(round, progress, cancellationToken);
            var duration = MonotonicClock.Now - begun;
            var commandsRun = round.IsInPostgres ? null : await _commands.ReadAsync() - commandsBefore;

            var ledgers = await warehouse.ReadLedgersAsync();
            return new RoundResult
            {
                Round = round,
                Sold = ledgers.Sum(ledger => ledger.Count),
                SoldAgain = ledgers.Sum(ledger => ledger.Count - ledger.DistinctBy(sold => sold.Item).Count()),
                Left = await warehouse.ReadAsync(),
                Refused = refused,
                Duration = duration,
                CommandsSent = round.IsInPostgres ? null : done.Sum(d => d.CommandsSent),
                CommandsRun = commandsRun,
                LockWaits = [.. done.SelectMany(d => d.LockWaits).Order()],
                ForeignDeletions = done.Sum(d => d.ForeignDeletions),
                Reentries = done.Sum(d => d.Reentries),
            };
        }
        finally
        {
            await warehouse.ClearAsync();
        }
    }

    private Warehouse<IStockSegment> WarehouseOf(Round round, RoundPlan plan)
    {
        IReadOnlyList<IStockSegment> segments = round.IsInPostgres
            ? Warehouses.InPostgres(plan, postgres!.Database, postgres.Schema).Segments
            : Warehouses.InRedis(plan, connection.GetDatabase()).Segments;
        return new Warehouse<IStockSegment>(segments);
    }

    /// <summary>Lets the buyers in. Something happens in the first worker only.</summary>
    private void Open(RoundPlan plan)
    {
        for (var i = 0; i < fleet.Workers.Count; i++)
        {
            fleet.Workers[i].Tell(new HoldRound(plan with { FirstBuyer = i * plan.Buyers, Incident = i == 0 ? plan.Incident : Incident.None }));
        }
    }

    private async Task<(IReadOnlyList<RoundDone> Done, int Refused)> FollowAsync(Round round, Action<int, int> progress, CancellationToken cancellationToken)
    {
        List<RoundDone> done = [];
        var (finished, sold, refused) = (0, 0, 0);
        Pause? pause = null;
        while (done.Count < fleet.Workers.Count)
        {
            var (worker, message) = await fleet.HearAsync(cancellationToken);
            switch (message)
            {
                case OrderDone order:
                    finished++;
                    sold += order.Result.Outcome == Checkouts.OrderOutcome.Sold ? 1 : 0;
                    refused += order.Result.Outcome == Checkouts.OrderOutcome.Refused ? 1 : 0;
                    pause?.Note(worker, order);
                    progress(finished, sold);
                    break;
                case AboutToWrite where:
                    pause = new Pause(worker, where, round, useSignals, timeline);
                    pause.Begin();
                    break;
                case PaymentIsSlow slow:
                    timeline.Tell(worker.Name, $"holds the lock, and the payment for item {slow.Item} takes {Format.Seconds(Sale.SlowPaymentTime)}, longer than the lease of {Format.Seconds(Sale.Lease)}: it is renewed");
                    break;
                case RoundDone workerDone:
                    done.Add(workerDone);
                    break;
            }
        }

        return (done, refused);
    }
}
