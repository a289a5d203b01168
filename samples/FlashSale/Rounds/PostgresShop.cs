using FlashSale.Stock;
using Npgsql;

namespace FlashSale.Rounds;

/// <summary>The tables of one run, with stock, ledger and locks: in a schema of their own, which goes with the run.</summary>
internal sealed class PostgresShop : IAsyncDisposable
{
    private PostgresShop(NpgsqlDataSource database, string schema) => (Database, Schema) = (database, schema);

    public NpgsqlDataSource Database { get; }

    public string Schema { get; }

    public static async Task<PostgresShop> OpenAsync(string connectionString, string schema, CancellationToken cancellationToken)
    {
        var shop = new PostgresShop(NpgsqlDataSource.Create(connectionString), schema);
        try
        {
            await StockRows.MakeTablesAsync(shop.Database, schema, cancellationToken);
            return shop;
        }
        catch
        {
            await shop.Database.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StockRows.DropTablesAsync(Database, Schema);
        await Database.DisposeAsync();
    }
}
