using Coordination.PostgreSql.Tests.Servers;
using Coordination.TestKit.Nodes;
using Coordination.TestKit.Servers;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Coordination.PostgreSql.Tests.Connections;

/// <summary>Servers of their own, which end, wait for standbys, and are standbys.</summary>
[Needs(Need.PostgreSql)]
public sealed class ServerRestartTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(60);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>As <c>pg_ctl stop -m immediate</c>: what was committed is there after the recovery.</summary>
    [Fact]
    [Promise("G1", "G2", "G3", "G12")]
    [Failure("F40")]
    public async Task A_server_that_is_killed_and_started_again_lost_no_grant_and_no_waiter()
    {
        await using var server = await PostgreSqlProcess.StartAsync();
        await using var holder = NodeOf(server);
        await using var other = NodeOf(server);
        await using var kept = await holder.GetLock("kept").AcquireAsync(Cancellation);
        var lease = await holder.GetLock("one").AcquireAsync(Cancellation);
        var permit = await holder.Provider.GetSemaphore("permits", 2).AcquireAsync(Cancellation);
        var waiting = other.GetLock("one").AcquireAsync(Cancellation);
        await Eventually.IsTrueAsync(async () => (await other.Inspector.InspectAsync("one", cancellationToken: Cancellation)).WaiterCount == 1, Bound);

        await server.KillAsync();
        Assert.Equal(RenewalResult.Unknown, await kept.RenewAsync(Cancellation));
        await server.StartAgainAsync();

        foreach (var held in (ILockLease[])[kept, lease, permit])
        {
            await Eventually.IsTrueAsync(async () => await held.RenewAsync(Cancellation) == RenewalResult.Renewed, Bound);
        }

        Assert.Equal(1, (await other.Inspector.InspectAsync("one", cancellationToken: Cancellation)).WaiterCount);
        Assert.Equal(ReleaseResult.Released, await permit.ReleaseAsync(Cancellation));
        Assert.Equal(ReleaseResult.Released, await lease.ReleaseAsync(Cancellation));
        await using var next = await waiting.WaitAsync(Bound, Cancellation);
        Assert.True(next.FencingToken > lease.FencingToken);
        Assert.Equal(LeaseState.Held, kept.State);
    }

    /// <summary>
    /// Whatever the database says of <c>synchronous_commit</c>. And a grant whose commit was cut off in that wait, which the server shows from then on, is told to nobody before the standby
    /// has it.
    /// </summary>
    [Theory]
    [Promise("G1")]
    [Failure("F29")]
    [InlineData("pg_terminate_backend", false)]
    [InlineData("pg_cancel_backend", false)]
    [InlineData("pg_terminate_backend", true)]
    [InlineData("pg_cancel_backend", true)]
    public async Task Nobody_is_told_of_a_grant_that_a_synchronous_standby_has_not_confirmed(string cut, bool isShared)
    {
        await using var server = await PostgreSqlProcess.StartAsync();
        await server.ExecuteAsync("ALTER DATABASE postgres SET synchronous_commit = off");
        await server.ExecuteAsync("ALTER DATABASE postgres SET statement_timeout = '1s'");
        await using var shared = NpgsqlDataSource.Create(server.ConnectionString);
        await using var node = isShared ? new Node(builder => builder.UsePostgreSql(shared), options => options.LeaseDuration = TimeSpan.FromMinutes(2)) : NodeOf(server);
        await using var before = await node.GetLock("before").AcquireAsync(Cancellation);

        // That standby does not exist.
        await server.ExecuteAsync("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
        await server.ExecuteAsync("SELECT pg_reload_conf()");
        await Eventually.IsTrueAsync(async () => await server.AskAsync("SHOW synchronous_standby_names") == "nobody", Bound);
        var acquiring = node.GetLock("one").AcquireAsync(Cancellation);
        await Eventually.IsTrueAsync(async () => await IsShownAsync(), Bound);

        // As shown to all, and to a node that asks again, for as long as it takes to ask several times.
        await Task.Delay(TimeSpan.FromSeconds(3), Cancellation);
        Assert.False(acquiring.IsCompleted);
        Assert.Equal(RenewalResult.Unknown, await before.RenewAsync(Cancellation));

        await server.ExecuteAsync("ALTER SYSTEM SET synchronous_standby_names = ''");
        await server.ExecuteAsync("SELECT pg_reload_conf()");
        await (await acquiring.WaitAsync(Bound, Cancellation)).DisposeAsync();

        async Task<bool> IsShownAsync()
        {
            // Cut off again and again: a session that is ended in the wait leaves its commit behind.
            await server.ExecuteAsync($"SELECT {cut}(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
            return await server.AskAsync("SELECT count(*)::text FROM coordination.locks WHERE name = 'one' AND owner IS NOT NULL") == "1";
        }
    }

    [Fact]
    [Promise("G12")]
    public async Task A_standby_is_away_and_has_locks_as_soon_as_it_is_promoted()
    {
        await using var server = await PostgreSqlProcess.StartAsync();
        await using (var first = NodeOf(server))
        {
            await first.Administration.PingAsync(Cancellation);
        }

        await server.KillAsync();
        await File.WriteAllTextAsync(Path.Combine(server.Data, "standby.signal"), "", Cancellation);
        await server.StartAgainAsync();

        await using var node = NodeOf(server);
        var failure = await Assert.ThrowsAsync<LockStoreException>(() => node.Administration.PingAsync(Cancellation));
        Assert.True(failure.IsTransient);
        Assert.Contains("standby", failure.Message, StringComparison.Ordinal);
        var acquiring = node.GetLock("one").AcquireAsync(Cancellation);

        await server.ExecuteAsync("SELECT pg_promote()");
        await (await acquiring.WaitAsync(Bound, Cancellation)).DisposeAsync();
    }

    private static Node NodeOf(PostgreSqlProcess server) =>
        new(builder => builder.UsePostgreSql(server.ConnectionString), options => options.LeaseDuration = TimeSpan.FromMinutes(2));
}
