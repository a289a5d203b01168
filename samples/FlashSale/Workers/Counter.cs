using Coordination;
using FlashSale.Checkouts;
using FlashSale.Rounds;
using FlashSale.Stock;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using StackExchange.Redis;

namespace FlashSale.Workers;

/// <summary>Where a worker's buyers are served, round after round.</summary>
internal sealed class Counter(Connections connections, IServiceProvider services, Parent parent) : IAsyncDisposable
{
    private static readonly TimeSpan LeavingTime = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource _closing = new();
    private Task _round = Task.CompletedTask;

    private ILockProvider Locks => services.GetRequiredService<ILockProvider>();

    /// <summary>Does what the parent says, until it says nothing more.</summary>
    public async Task ServeAsync()
    {
        Cashier? cashier = null;
        await foreach (var command in parent.Commands)
        {
            switch (command)
            {
                case HoldRound { Plan: var plan }:
                    cashier = new Cashier(plan, parent);
                    _round = HoldRoundAsync(plan, cashier);
                    break;
                case GoOn:
                    cashier?.GoOn();
                    break;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        await _round.WaitAsync(LeavingTime).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _closing.Dispose();
    }

    private async Task HoldRoundAsync(RoundPlan plan, Cashier cashier)
    {
        var tally = new Tally();
        var sentBefore = connections.CommandsSent;
        try
        {
            await ServeAllAsync(plan, cashier, tally);
            parent.Tell(new RoundDone(tally.Waits, connections.CommandsSent - sentBefore, tally.ForeignDeletions, tally.Reentries));
        }
        catch (Exception e) when (e is RedisException or NpgsqlException or TimeoutException or LockStoreException)
        {
            // The server is away, or refuses: the parent says so and ends the sale.
            parent.Tell(new Failed(e.Message));
        }
    }

    private Task ServeAllAsync(RoundPlan plan, Cashier cashier, Tally tally) => plan.Kind is RoundKind.LeaseInPostgres or RoundKind.GuardedLease
        ? ServeAllAsync(plan, Warehouses.InPostgres(plan, connections.Database!, connections.Schema), CheckoutInPostgres(plan, cashier, tally))
        : ServeAllAsync(plan, Warehouses.InRedis(plan, connections.Shop), CheckoutInRedis(plan, cashier, tally));

    /// <summary>All buyers come at once.</summary>
    private Task ServeAllAsync<TSegment>(RoundPlan plan, Warehouse<TSegment> warehouse, ICheckout<TSegment> checkout)
        where TSegment : IStockSegment =>
        Task.WhenAll(Enumerable.Range(plan.FirstBuyer, plan.Buyers).Select(async buyer =>
        {
            var result = await new Buyer<TSegment>(buyer, warehouse, checkout).BuyAsync(_closing.Token);
            parent.Tell(new OrderDone(buyer, result));
        }));

    private ICheckout<StockKeys> CheckoutInRedis(RoundPlan plan, Cashier cashier, Tally tally) => plan.Kind switch
    {
        RoundKind.NoLock => new UnlockedCheckout(cashier),
        RoundKind.BasicLock => new BasicLockCheckout(connections.Shop, deleteOnlyOwn: false, cashier, tally),
        RoundKind.BasicLockOwnDeletion => new BasicLockCheckout(connections.Shop, deleteOnlyOwn: true, cashier, tally),
        RoundKind.Lease => new LeaseCheckout<IStockSegment>(Locks, Options(plan), Writings.Unfenced, cashier, tally),
        RoundKind.FencedLease => new LeaseCheckout<StockKeys>(Locks, Options(plan), Writings.Fenced, cashier, tally),
        RoundKind.Countdown => new CountdownCheckout(cashier),
        _ => throw new ArgumentOutOfRangeException(nameof(plan), plan.Kind, "There is no such round."),
    };

    private ICheckout<StockRows> CheckoutInPostgres(RoundPlan plan, Cashier cashier, Tally tally)
    {
        var locks = services.GetRequiredKeyedService<ILockProvider>(WorkerHost.PostgresNode);
        return plan.Kind == RoundKind.GuardedLease
            ? new LeaseCheckout<StockRows>(locks, Options(plan), Writings.Guarded(cashier), cashier, tally)
            : new LeaseCheckout<IStockSegment>(locks, Options(plan), Writings.Unfenced, cashier, tally);
    }

    /// <summary>Where no process can be stopped, leases are not renewed past their first duration: they are lost as those of a stopped process are.</summary>
    private static LockOptions Options(RoundPlan plan) =>
        plan.Incident is Incident.Pause or Incident.PauseInTransaction && !plan.UseSignals ? new LockOptions { MaxHold = Sale.Lease } : new LockOptions();
}
