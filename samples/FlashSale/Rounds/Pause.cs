using FlashSale.Checkouts;
using FlashSale.Workers;
using SampleKit.Timeline;

namespace FlashSale.Rounds;

/// <summary>Stops a worker between its last look and its write, lets others sell the same item meanwhile, and lets it go on.</summary>
internal sealed class Pause(WorkerProcess worker, AboutToWrite where, Round round, bool useSignals, Chronicle timeline)
{
    private const int SalesByOthers = 3;

    private int _salesByOthers;
    private bool _isOver;

    public void Begin()
    {
        if (useSignals)
        {
            worker.Pause();
        }

        timeline.Tell(worker.Name, $"holds the lock and is about to {(round.Incident == Incident.PauseInTransaction ? "commit the sale of" : "sell")} item {where.Item} to buyer {where.Buyer}: {(useSignals ? "its process is stopped" : "it dawdles")} until its lock has run out and others have sold that item");
    }

    /// <summary>Takes in what a buyer was told.</summary>
    public void Note(WorkerProcess by, OrderDone order)
    {
        if (by == worker)
        {
            TellEnd(order);
        }
        else if (order.Result.Outcome == OrderOutcome.Sold && order.Result.Item <= where.Item && ++_salesByOthers == SalesByOthers)
        {
            timeline.Tell(worker.Name, $"goes on, and writes; others have sold item {where.Item} and {SalesByOthers - 1} more meanwhile");
            worker.Tell(new GoOn());
            worker.Resume();
            _isOver = true;
        }
    }

    private void TellEnd(OrderDone order)
    {
        if (!_isOver || order.Buyer != where.Buyer)
        {
            return;
        }

        if (order.Result.Outcome == OrderOutcome.Sold)
        {
            timeline.Tell(worker.Name, $"has sold item {where.Item} a second time: nothing at the stock kept its late write out", Tone.Bad);
        }
        else
        {
            timeline.Tell(worker.Name, round switch
            {
                { Incident: Incident.PauseInTransaction } => "was refused: the server had ended its session before anybody else was granted the lock",
                { IsInPostgres: true } => "was refused: its lease guards no commit any more",
                _ => "was refused: the stock has seen a higher fencing token",
            }, Tone.Good);
        }
    }
}
