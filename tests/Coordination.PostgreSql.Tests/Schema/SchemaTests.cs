using Coordination.PostgreSql.Schema;
using Coordination.PostgreSql.Stores;
using Coordination.PostgreSql.Tests.Servers;
using Coordination.PostgreSql.Transactions;
using Coordination.Stores;
using Coordination.TestKit.Nodes;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Coordination.PostgreSql.Tests.Schema;

/// <summary>The tables: who makes them, and which will not do.</summary>
[Needs(Need.PostgreSql)]
public sealed class SchemaTests(PostgreSqlFixture server) : IAsyncLifetime
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(30);

    private readonly SharedServer _server = new(server);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await _server.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Many_nodes_that_start_at_once_make_the_tables_once()
    {
        var nodes = Enumerable.Range(0, 8).Select(_ => new Node(_server.Use)).ToArray();
        await Task.WhenAll(nodes.Select(node => node.Administration.PingAsync(Cancellation)));
        await Task.WhenAll(nodes.Select(node => node.DisposeAsync().AsTask()));
    }

    /// <summary>As whoever brings the tables to another release does, while nodes use them.</summary>
    [Fact]
    public async Task The_script_may_be_run_again_and_the_tables_are_the_same_store()
    {
        await using var node = new Node(_server.Use);
        await using var lease = await node.GetLock("again").AcquireAsync(Cancellation);
        await using var users = await server.ConnectAsOperatorAsync();
        var before = await IdentityAsync();
        for (var i = 0; i < 2; i++)
        {
            await using var transaction = await users.BeginTransactionAsync(Cancellation);
            await lease.GuardAsync(transaction, Cancellation);
            await transaction.CommitAsync(Cancellation);
            await _server.ExecuteAsync(Statements.With(_server.Schema, SchemaCheck.Script));
        }

        Assert.Equal(before, await IdentityAsync());
        Assert.Equal(RenewalResult.Renewed, await lease.RenewAsync(Cancellation));
        Assert.Equal(ReleaseResult.Released, await lease.ReleaseAsync(Cancellation));

        async Task<Guid> IdentityAsync()
        {
            await using var look = new NpgsqlCommand($"SELECT identity FROM {_server.Schema}.version", users);
            return (Guid)(await look.ExecuteScalarAsync(Cancellation))!;
        }
    }

    /// <summary>They are another store, which the node learns with the first guard of a lease.</summary>
    [Fact]
    public async Task Tables_that_were_made_anew_under_a_node_are_taken_for_its_own()
    {
        await using var node = new Node(_server.Use);
        await using var users = await server.ConnectAsOperatorAsync();
        for (var i = 0; i < 2; i++)
        {
            await using var lease = await node.GetLock("anew").AcquireAsync(Cancellation);
            await using (var transaction = await users.BeginTransactionAsync(Cancellation))
            {
                await lease.GuardAsync(transaction, Cancellation);
                await transaction.CommitAsync(Cancellation);
            }

            await _server.ExecuteAsync(i == 0 ? Statements.With(_server.Schema, $"DROP SCHEMA {_server.Schema} CASCADE; {SchemaCheck.Script}") : $"TRUNCATE {_server.Schema}.fences");
            if (i == 1)
            {
                await using var late = await users.BeginTransactionAsync(Cancellation);
                await Assert.ThrowsAsync<LeaseLostException>(() => lease.GuardAsync(late, Cancellation));
            }
        }
    }

    [Fact]
    public async Task Missing_tables_that_are_not_to_be_made_are_a_final_failure_that_says_what_to_do()
    {
        await using var node = new Node(builder =>
        {
            _server.Use(builder);
            builder.UsePostgreSql(options => options.CreateSchema = false);
        });
        var failure = await Assert.ThrowsAsync<LockStoreException>(() => node.Administration.PingAsync(Cancellation));
        Assert.False(failure.IsTransient);
        Assert.Contains("schema.sql", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ALTER TABLE {0}.locks SET UNLOGGED", "unlogged")]
    [InlineData("UPDATE {0}.version SET version = 2", "newer release")]
    [InlineData("UPDATE {0}.version SET version = 0", "schema.sql of this release", false)]
    [InlineData("DELETE FROM {0}.version", "schema.sql of this release", false)]
    public async Task Tables_that_will_not_do_are_a_final_failure_that_says_why(string change, string why, bool createSchema = true)
    {
        await using (var first = new Node(_server.Use))
        {
            await first.Administration.PingAsync(Cancellation);
        }

        await _server.ExecuteAsync(string.Format(System.Globalization.CultureInfo.InvariantCulture, change, _server.Schema));
        await using var node = new Node(builder =>
        {
            _server.Use(builder);
            builder.UsePostgreSql(options => options.CreateSchema = createSchema);
        });
        var failure = await Assert.ThrowsAsync<LockStoreException>(() => node.Administration.PingAsync(Cancellation));
        Assert.False(failure.IsTransient);
        Assert.Contains(why, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("UPDATE {0}.version SET version = 0")]
    [InlineData("DELETE FROM {0}.version")]
    public async Task The_script_brings_tables_of_an_older_version_up(string change)
    {
        await using (var first = new Node(_server.Use))
        {
            await first.Administration.PingAsync(Cancellation);
        }

        await _server.ExecuteAsync(string.Format(System.Globalization.CultureInfo.InvariantCulture, change, _server.Schema));
        await using var node = new Node(_server.Use);
        await node.Administration.PingAsync(Cancellation);
    }

    /// <summary>
    /// The role's limits are shorter than a start takes where others have the tables just then, and longer than a busy machine takes for the statement that sets them aside.
    /// </summary>
    [Fact]
    public async Task Limits_of_the_role_end_no_examination_and_no_question()
    {
        var (schema, role) = (_server.Schema, _server.Schema + "_app");
        await _server.ExecuteAsync($"CREATE ROLE {role} LOGIN SUPERUSER; ALTER ROLE {role} SET statement_timeout = '500ms'; ALTER ROLE {role} SET lock_timeout = '500ms'");
        var settings = new NpgsqlConnectionStringBuilder(await server.GetConnectionStringAsync()) { Username = role };
        await using var node = new Node(builder => builder.UsePostgreSql(settings.ConnectionString, options => options.Schema = schema), options => options.LeaseDuration = TimeSpan.FromMinutes(2));
        var store = node.Services.GetRequiredService<PostgreSqlLockStore>();

        // One who makes tables, and then one who changes them.
        await WhileAsync("SELECT pg_advisory_xact_lock(x'436F6F7264696E61'::bigint)", () => store.EnsureFitAsync(Cancellation));
        await WhileAsync($"LOCK TABLE {schema}.version IN ACCESS EXCLUSIVE MODE", async () =>
        {
            await using var later = new Node(builder => builder.UsePostgreSql(settings.ConnectionString, options => options.Schema = schema), options => options.LeaseDuration = TimeSpan.FromMinutes(2));
            await later.Services.GetRequiredService<PostgreSqlLockStore>().EnsureFitAsync(Cancellation);
        });
        await WhileAsync($"LOCK TABLE {schema}.locks IN ACCESS EXCLUSIVE MODE", () => store.ListAsync(null, Cancellation));
        await WhileAsync($"LOCK TABLE {schema}.locks IN ACCESS EXCLUSIVE MODE", () => store.GetHolderAsync("one", Cancellation));
        await WhileAsync($"LOCK TABLE {schema}.version IN ACCESS EXCLUSIVE MODE", () => store.PingAsync(Cancellation));

        async Task WhileAsync(string locked, Func<Task> ask)
        {
            await using var other = await server.ConnectAsOperatorAsync();
            await using var transaction = await other.BeginTransactionAsync(Cancellation);
            await using var locking = new NpgsqlCommand(locked, other, transaction);
            await locking.ExecuteNonQueryAsync(Cancellation);
            var asking = ask();

            // For longer than the role's limit, and for less than the store's own.
            await Task.WhenAny(asking, Task.Delay(TimeSpan.FromMilliseconds(900), Cancellation));
            await transaction.RollbackAsync(Cancellation);
            await asking.WaitAsync(Bound, Cancellation);
        }
    }

    /// <summary>With the rights that the script names and no others, and under defaults that other stores fail by.</summary>
    [Theory]
    [InlineData(PostgreSqlNotifications.Listen)]
    [InlineData(PostgreSqlNotifications.Poll)]
    public async Task A_role_with_the_least_rights_and_strict_defaults_has_all_that_locks_need(PostgreSqlNotifications notifications)
    {
        await using (var owner = new Node(_server.Use))
        {
            await owner.Administration.PingAsync(Cancellation);
        }

        var (schema, role) = (_server.Schema, _server.Schema + "_app");
        await _server.ExecuteAsync($"""
            CREATE ROLE {role} LOGIN;
            GRANT USAGE ON SCHEMA {schema} TO {role};
            GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role};
            ALTER ROLE {role} SET default_transaction_isolation = 'serializable';
            ALTER ROLE {role} SET default_transaction_read_only = on;
            ALTER ROLE {role} SET synchronous_commit = off;
            ALTER ROLE {role} SET lock_timeout = '1ms';
            ALTER ROLE {role} SET statement_timeout = '2s';
            ALTER ROLE {role} SET idle_in_transaction_session_timeout = '100ms';
            ALTER ROLE {role} SET idle_session_timeout = '2s';
            ALTER ROLE {role} SET search_path = 'nowhere';
            """);
        var settings = new NpgsqlConnectionStringBuilder(await server.GetConnectionStringAsync()) { Username = role };
        await using var node = NodeOf();
        await using var other = NodeOf();
        await node.Administration.PingAsync(Cancellation);
        var lease = await node.GetLock("least").AcquireAsync(Cancellation);
        var shared = await node.Provider.GetSemaphore("shared", 2).AcquireAsync(Cancellation);
        var next = other.GetLock("least").AcquireAsync(Cancellation);
        for (var i = 0; i < 5; i++)
        {
            await Eventually.IsTrueAsync(async () => await lease.RenewAsync(Cancellation) == RenewalResult.Renewed && await shared.RenewAsync(Cancellation) == RenewalResult.Renewed, Bound);

            // Sessions are ended that idle for longer, and are made anew.
            await Task.Delay(TimeSpan.FromMilliseconds(700), Cancellation);
        }

        Assert.Equal(2, (await node.Administration.ListAsync(null, Cancellation)).LockNames.Count);
        await node.Services.GetRequiredService<PostgreSqlLockStore>().ForgetAsync(Cancellation);

        // Whoever only guards needs no right to the tables.
        await _server.ExecuteAsync($"CREATE ROLE {role}_user LOGIN; GRANT USAGE ON SCHEMA {schema} TO {role}_user");
        await using (var users = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(settings.ConnectionString) { Username = role + "_user", Pooling = false }.ConnectionString))
        {
            await users.OpenAsync(Cancellation);
            await using var transaction = await users.BeginTransactionAsync(Cancellation);
            await lease.GuardAsync(transaction, Cancellation);
            await transaction.CommitAsync(Cancellation);
        }

        Assert.Equal(ReleaseResult.Released, await shared.ReleaseAsync(Cancellation));
        Assert.Equal(ReleaseResult.Released, await lease.ReleaseAsync(Cancellation));
        await (await next.WaitAsync(Bound, Cancellation)).DisposeAsync();

        Node NodeOf() => new(
            builder => builder.UsePostgreSql(settings.ConnectionString, options => (options.Schema, options.Notifications) = (schema, notifications)),
            options => options.LeaseDuration = TimeSpan.FromMinutes(2));
    }

    [Fact]
    public async Task Locks_that_nobody_uses_any_more_are_forgotten_and_those_that_are_held_are_not()
    {
        await using var node = new Node(_server.Use);
        await using var held = await node.GetLock("held").AcquireAsync(Cancellation);
        await (await node.GetLock("free").AcquireAsync(Cancellation)).ReleaseAsync(Cancellation);
        await _server.ExecuteAsync($"UPDATE {_server.Schema}.locks SET forget_after = now() - interval '1 second'");
        Assert.Equal(1, await node.Services.GetRequiredService<PostgreSqlLockStore>().ForgetAsync(Cancellation));
        Assert.Equal(["held"], (await node.Administration.ListAsync(null, Cancellation)).LockNames);
        Assert.Equal(RenewalResult.Renewed, await held.RenewAsync(Cancellation));
    }

    /// <summary>Somebody works on the row just then: not held by nobody, and not lost.</summary>
    [Fact]
    [Failure("F10")]
    public async Task A_lease_whose_row_somebody_else_has_locked_is_unknown_and_the_others_are_renewed()
    {
        await using var node = new Node(_server.Use);
        var (busy, free) = (new LockOwner("node", 1), new LockOwner("node", 2));
        await node.Store.AcquireAsync(Ask("busy", busy), Cancellation);
        await node.Store.AcquireAsync(Ask("free", free), Cancellation);
        await using var other = await server.ConnectAsOperatorAsync();
        await using (var transaction = await other.BeginTransactionAsync(Cancellation))
        {
            await using var locking = new NpgsqlCommand($"SELECT 1 FROM {_server.Schema}.locks WHERE name = 'busy' FOR UPDATE", other, transaction);
            await locking.ExecuteNonQueryAsync(Cancellation);
            Assert.Equal([RenewalReply.Unknown, RenewalReply.Renewed, RenewalReply.NotHeld], await node.Store.RenewAsync([Again("busy", busy), Again("free", free), Again("none", free)], Cancellation));
        }

        Assert.Equal([RenewalReply.Renewed], await node.Store.RenewAsync([Again("busy", busy)], Cancellation));
    }

    private static AcquireRequest Ask(string name, LockOwner owner) =>
        new() { LockName = name, Owner = owner, Entry = 1, LeaseDuration = TimeSpan.FromSeconds(30), ClaimWindow = TimeSpan.FromSeconds(2) };

    private static RenewalRequest Again(string name, LockOwner owner) => new() { LockName = name, Owner = owner, LeaseDuration = TimeSpan.FromSeconds(30) };
}
