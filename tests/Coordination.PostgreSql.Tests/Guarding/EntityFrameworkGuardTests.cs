using Coordination.PostgreSql.Tests.Servers;
using Coordination.TestKit.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace Coordination.PostgreSql.Tests.Guarding;

/// <summary>The transactions of Entity Framework Core, which has a savepoint of its own in each that is not begun by itself.</summary>
[Needs(Need.PostgreSql)]
public sealed class EntityFrameworkGuardTests(PostgreSqlFixture server) : IAsyncLifetime
{
    private readonly SharedServer _server = new(server);
    private Node? _node;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private Node Node => _node!;

    public async ValueTask InitializeAsync()
    {
        _node = await _server.StartNodeAsync();
        await Node.Administration.PingAsync(Cancellation);
        await _server.ExecuteAsync($"""CREATE TABLE {_server.Schema}."Notes" ("Id" integer PRIMARY KEY)""");
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Changes_are_saved_before_and_after_the_guard(bool hasFailed)
    {
        await using var lease = await Node.GetLock("notes").AcquireAsync(Cancellation);
        await using var context = await OpenAsync();
        await using var transaction = await context.Database.BeginTransactionAsync(Cancellation);
        context.Notes.Add(new Note { Id = 1 });
        await context.SaveChangesAsync(Cancellation);
        await lease.GuardAsync(transaction.GetDbTransaction(), Cancellation);
        if (hasFailed)
        {
            // It is rolled back to the savepoint of its own.
            context.ChangeTracker.Clear();
            context.Notes.Add(new Note { Id = 1 });
            await Assert.ThrowsAsync<DbUpdateException>(() => context.SaveChangesAsync(Cancellation));
            context.ChangeTracker.Clear();
            await lease.GuardAsync(transaction.GetDbTransaction(), Cancellation);
        }

        context.Notes.Add(new Note { Id = 2 });
        await context.SaveChangesAsync(Cancellation);
        await transaction.CommitAsync(Cancellation);
        Assert.Equal(2, await CountAsync());
    }

    /// <summary>Their savepoint is rolled back to and released.</summary>
    [Fact]
    public async Task A_guard_may_come_after_changes_that_could_not_be_saved()
    {
        await using var lease = await Node.GetLock("notes").AcquireAsync(Cancellation);
        await using var context = await OpenAsync();
        await using var transaction = await context.Database.BeginTransactionAsync(Cancellation);
        context.Notes.Add(new Note { Id = 1 });
        await context.SaveChangesAsync(Cancellation);
        context.ChangeTracker.Clear();
        context.Notes.Add(new Note { Id = 1 });
        await Assert.ThrowsAsync<DbUpdateException>(() => context.SaveChangesAsync(Cancellation));
        await lease.GuardAsync(transaction.GetDbTransaction(), Cancellation);
        await transaction.CommitAsync(Cancellation);
        Assert.Equal(1, await CountAsync());
    }

    [Fact]
    [Promise("G1")]
    public async Task Nothing_is_saved_by_a_transaction_that_was_refused()
    {
        var lease = await Node.GetLock("notes").AcquireAsync(Cancellation);
        await lease.ReleaseAsync(Cancellation);
        await using var context = await OpenAsync();
        await using (var transaction = await context.Database.BeginTransactionAsync(Cancellation))
        {
            context.Notes.Add(new Note { Id = 1 });
            await context.SaveChangesAsync(Cancellation);
            await transaction.CreateSavepointAsync("mine", Cancellation);
            await Assert.ThrowsAsync<InvalidOperationException>(() => lease.GuardAsync(transaction.GetDbTransaction(), Cancellation));
            await Assert.ThrowsAsync<PostgresException>(() => transaction.RollbackToSavepointAsync("mine", Cancellation));
            await transaction.CommitAsync(Cancellation);
        }

        await using (var transaction = await context.Database.BeginTransactionAsync(Cancellation))
        {
            await Assert.ThrowsAsync<InvalidOperationException>(() => lease.GuardAsync(transaction.GetDbTransaction(), Cancellation));
            await transaction.RollbackAsync(Cancellation);
        }

        Assert.Equal(0, await CountAsync());
    }

    private async Task<NotesContext> OpenAsync() => new(await server.GetConnectionStringAsync(), _server.Schema);

    private async Task<int> CountAsync()
    {
        await using var context = await OpenAsync();
        return await context.Notes.CountAsync(Cancellation);
    }

    private sealed class Note
    {
        public int Id { get; set; }
    }

    private sealed class NotesContext(string connectionString, string schema) : DbContext
    {
        public DbSet<Note> Notes => Set<Note>();

        protected override void OnConfiguring(DbContextOptionsBuilder optionsBuilder) =>
            optionsBuilder.UseNpgsql(connectionString + ";Pooling=false").ReplaceService<IModelCacheKeyFactory, NoModelCache>();

        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            modelBuilder.HasDefaultSchema(schema);
            modelBuilder.Entity<Note>().Property(note => note.Id).ValueGeneratedNever();
        }
    }

    /// <summary>Each test has a schema of its own.</summary>
    private sealed class NoModelCache : IModelCacheKeyFactory
    {
        public object Create(DbContext context, bool designTime) => new();
    }
}
