using FlashSale.Rounds;
using Npgsql;
using StackExchange.Redis;

namespace FlashSale.Stock;

/// <summary>Where the stock of a round is.</summary>
internal static class Warehouses
{
    public static Warehouse<StockKeys> InRedis(RoundPlan plan, IDatabase database) =>
        new([.. Enumerable.Range(0, plan.Segments).Select(number => new StockKeys(database, plan.Sale, number))]);

    public static Warehouse<StockRows> InPostgres(RoundPlan plan, NpgsqlDataSource database, string schema) =>
        new([.. Enumerable.Range(0, plan.Segments).Select(number => new StockRows(database, schema, plan.Sale, number))]);
}
