using System.Net.Sockets;
using FlashSale.Stock;
using Npgsql;

namespace FlashSale.Rounds;

/// <summary>The tables of one run, with stock, ledger and locks: in a schema of their own, which goes with the run.</summary>
internal sealed class PostgresShop : IAsyncDisposable
{
    private PostgresShop(NpgsqlDataSource database, string schema) => (Database, Schema) = (database, schema);

    public NpgsqlDataSource Database { get; }

    public string Schema { get; }

    /// <exception cref="SaleFailedException">The server cannot be used.</exception>
    public static async Task<PostgresShop> OpenAsync(string connectionString, string schema, CancellationToken cancellationToken)
    {
        var shop = new PostgresShop(NpgsqlDataSource.Create(connectionString), schema);
        try
        {
            await StockRows.MakeTablesAsync(shop.Database, schema, cancellationToken);
            return shop;
        }
        catch (Exception e) when (e is NpgsqlException or SocketException or TimeoutException or IOException)
        {
            await shop.Database.DisposeAsync();
            throw new SaleFailedException(
                $"PostgreSQL at {new NpgsqlConnectionStringBuilder(connectionString).Host} cannot be used: {e.Message.TrimEnd('.')}; name a server that runs, with a database that it has and a role that may create a schema in it, by --postgres");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StockRows.DropTablesAsync(Database, Schema);
        await Database.DisposeAsync();
    }
}
