using System.Net.Sockets;
using Coordination;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using SampleKit.CommandLine;

namespace GuardedInvoices;

/// <summary>Two nodes write invoices, and one of them is overtaken between its look and its write.</summary>
internal static class Run
{
    private const string Overtaken = "Overtaken & Sons";

    /// <exception cref="UsageException">The server is away, or lets nobody in with this address.</exception>
    /// <exception cref="RunFailedException">The server failed later, or refuses what the run needs.</exception>
    public static async Task<int> PlayAsync(string connectionString, CancellationToken cancellationToken)
    {
        await using var database = NpgsqlDataSource.Create(connectionString);
        await MeetAsync(database, cancellationToken);
        try
        {
            return await PlayAsync(database, cancellationToken);
        }
        catch (Exception e) when (e.GetBaseException() is PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege } refused)
        {
            throw new RunFailedException($"The run broke off: {refused.Message}. Name a user that may create a schema in the database.", e);
        }
        catch (Exception e) when (IsOfServer(e))
        {
            throw new RunFailedException($"The run broke off, for the server failed: {e.GetBaseException().Message.TrimEnd('.')}.", e);
        }
    }

    /// <summary>A server that cannot be used is told from one that fails.</summary>
    private static async Task MeetAsync(NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = await database.OpenConnectionAsync(cancellationToken);
        }
        catch (Exception e) when (IsOfServer(e))
        {
            throw new UsageException($"PostgreSQL at {new NpgsqlConnectionStringBuilder(database.ConnectionString).Host} cannot be used: {e.Message.TrimEnd('.')}. Name a server that runs, and a role and a database that it has: \"Host=…;Username=…;Password=…;Database=…\".");
        }
    }

    private static async Task<int> PlayAsync(NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        await using var shop = new ShopContext(new DbContextOptionsBuilder<ShopContext>().UseNpgsql(database).Options);
        try
        {
            await shop.Database.ExecuteSqlRawAsync(shop.Database.GenerateCreateScript(), cancellationToken);
            await using (var north = await ShopNode.StartAsync("north", database, cancellationToken))
            await using (var south = await ShopNode.StartAsync("south", database, cancellationToken))
            {
                await WriteInTurnAsync(north, south, cancellationToken);
                await BeOvertakenAsync(north, south, cancellationToken);
            }

            return await JudgeAsync(shop, cancellationToken);
        }
        finally
        {
            await using var drop = database.CreateCommand($"DROP SCHEMA IF EXISTS {ShopContext.Schema} CASCADE");
            await drop.ExecuteNonQueryAsync(CancellationToken.None);
        }
    }

    /// <summary>EF Core has the server's own error inside one of its own.</summary>
    private static bool IsOfServer(Exception e) => e.GetBaseException() is NpgsqlException or SocketException or IOException or TimeoutException or LockStoreException;

    private static async Task WriteInTurnAsync(ShopNode north, ShopNode south, CancellationToken cancellationToken)
    {
        foreach (var (node, customers) in ((ShopNode, string[])[])[(north, ["Ada", "Ben"]), (south, ["Cleo"])])
        {
            await using var lease = await node.Invoicing.AcquireAsync(cancellationToken);
            foreach (var customer in customers)
            {
                Console.WriteLine($"{lease.Owner.NodeName} wrote invoice {await node.WriteInvoiceAsync(lease, customer, null, cancellationToken)}, for {customer}");
            }
        }
    }

    private static async Task BeOvertakenAsync(ShopNode north, ShopNode south, CancellationToken cancellationToken)
    {
        await using var lease = await south.Invoicing.AcquireAsync(cancellationToken);
        try
        {
            var number = await south.WriteInvoiceAsync(lease, Overtaken, OvertakeAsync, cancellationToken);
            Console.WriteLine($"south wrote invoice {number} although it had the lock no more");
        }
        catch (LeaseLostException e)
        {
            Console.WriteLine($"south could not commit: {e.Message}");
        }

        // As when a process is paused for longer than its lease lasts: another node has the lock before this one writes.
        async Task OvertakeAsync()
        {
            Console.WriteLine("south has looked for the last number; an operator takes the lock from it");
            await north.Inspector.RevokeAsync(Invoicing.LockName, lease.FencingToken, cancellationToken);
            await using var next = await north.Invoicing.AcquireAsync(cancellationToken);
            Console.WriteLine($"north wrote invoice {await north.WriteInvoiceAsync(next, "Dora", null, cancellationToken)}, for Dora");
        }
    }

    private static async Task<int> JudgeAsync(ShopContext shop, CancellationToken cancellationToken)
    {
        var invoices = await shop.Invoices.AsNoTracking().OrderBy(invoice => invoice.Id).ToListAsync(cancellationToken);
        Console.WriteLine();
        foreach (var invoice in invoices)
        {
            Console.WriteLine($"  {invoice.Number}  {invoice.Customer,-6} {invoice.WrittenBy}");
        }

        var isExact = invoices.Select(invoice => invoice.Number).SequenceEqual(Enumerable.Range(1, 4)) && invoices.TrueForAll(invoice => invoice.Customer != Overtaken);
        Console.WriteLine(isExact ? "Every number once, and no gap." : "THE NUMBERS ARE WRONG.");
        return isExact ? ExitCode.Succeeded : ExitCode.Failed;
    }
}
