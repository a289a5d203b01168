using Microsoft.EntityFrameworkCore;

namespace GuardedInvoices;

/// <summary>The shop's own tables, in the same database as the locks.</summary>
internal sealed class ShopContext(DbContextOptions<ShopContext> options) : DbContext(options)
{
    /// <summary>One for each run, which leaves nothing behind in a database that is not its own.</summary>
    public static readonly string Schema = $"guarded_invoices_{Guid.NewGuid().ToString("N")[..8]}";

    public DbSet<Invoice> Invoices => Set<Invoice>();

    protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.HasDefaultSchema(Schema);
}
