using Coordination;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;

namespace GuardedInvoices;

/// <summary>Writes invoices: looks for the last number, and writes the next one.</summary>
internal sealed class Invoicing(ShopContext shop)
{
    public const string LockName = "invoicing";

    /// <param name="lease">What its node holds.</param>
    /// <param name="customer">Whose it is.</param>
    /// <param name="meanwhile">What takes place between the look and the write.</param>
    /// <param name="cancellationToken">Ends it with nothing written.</param>
    /// <returns>The number of the invoice.</returns>
    /// <exception cref="LeaseLostException">Another may write invoices now. Nothing was written.</exception>
    public async Task<int> WriteAsync(ILease lease, string customer, Func<Task> meanwhile, CancellationToken cancellationToken)
    {
        await using var transaction = await shop.Database.BeginTransactionAsync(cancellationToken);
        var number = 1 + (await shop.Invoices.MaxAsync(invoice => (int?)invoice.Number, cancellationToken) ?? 0);
        await meanwhile();

        shop.Invoices.Add(new Invoice { Number = number, Customer = customer, WrittenBy = $"{lease.Owner.NodeName} by token {lease.FencingToken}" });
        await shop.SaveChangesAsync(cancellationToken);

        // From here to the commit nobody else is granted the lock; and without it there is no commit.
        await lease.GuardAsync(transaction.GetDbTransaction(), cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return number;
    }
}
