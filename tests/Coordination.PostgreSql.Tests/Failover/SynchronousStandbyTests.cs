using Coordination.Stores;
using Coordination.TestKit.Network;
using Coordination.TestKit.Nodes;
using Coordination.TestKit.Servers;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Coordination.PostgreSql.Tests.Failover;

/// <summary>A server whose commits a standby confirms, which does not hear of them for a while. What nobody confirmed, a failover would lose.</summary>
[Needs(Need.LongTier, Need.PostgreSql)]
public sealed class SynchronousStandbyTests : IAsyncLifetime
{
    private const string Standby = "standby";
    private const string WhoWaits = "FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND backend_type = 'client backend'";
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);

    private PostgreSqlProcess? _primary;
    private PostgreSqlProcess? _standby;
    private ChaosProxy? _replication;
    private Node? _node;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private ILockStore Store => _node!.Store;

    public async ValueTask InitializeAsync()
    {
        _primary = await PostgreSqlProcess.StartAsync($"synchronous_standby_names={Standby}");
        _replication = new ChaosProxy(_primary.Port);
        _standby = await _primary.StartStandbyAsync(Standby, _replication.Port);
        await Eventually.IsTrueAsync(async () => await CountAsync("FROM pg_stat_replication WHERE sync_state = 'sync'") == 1, Bound, "the standby follows");
        _node = CreateNode();
        await _node.Administration.PingAsync(Cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var part in new IAsyncDisposable?[] { _node, _standby, _primary, _replication })
        {
            await (part?.DisposeAsync() ?? ValueTask.CompletedTask);
        }
    }

    /// <summary>The server shows a commit as done whose session was ended while it waited for the standby. Whoever asks again, as the owner of a lost reply does, finds its own grant there.</summary>
    [Fact]
    [Promise("G1", "G6")]
    [Failure("F29")]
    public async Task A_grant_that_no_standby_confirmed_is_not_told_when_it_is_asked_for_again()
    {
        var request = new AcquireRequest { LockName = "asked-again", Owner = new LockOwner("node", 1), Entry = 1, LeaseDuration = TimeSpan.FromMinutes(1), ClaimWindow = TimeSpan.FromSeconds(5) };
        _replication!.Begin(ProxyMode.BlackHole);
        var first = Store.AcquireAsync(request, Cancellation);
        await Eventually.IsTrueAsync(async () => await CountAsync(WhoWaits) == 1, Bound, "the commit waits for the standby");
        await CountAsync($"FROM (SELECT pg_terminate_backend(pid) {WhoWaits}) AS ended");
        await Assert.ThrowsAsync<LockStoreException>(() => first);

        // The grant is there for all to see.
        Assert.NotNull(await _node!.Administration.GetHolderAsync(request.LockName, Cancellation));
        var again = await Assert.ThrowsAsync<LockStoreException>(() => Store.AcquireAsync(request, Cancellation));
        Assert.True(again.IsTransient);
        await Assert.ThrowsAsync<LockStoreException>(() => Store.AcquireAsync(request with { Entry = 2 }, Cancellation));
        await Assert.ThrowsAsync<LockStoreException>(() => Store.RenewAsync([new RenewalRequest { LockName = request.LockName, Owner = request.Owner, LeaseDuration = request.LeaseDuration }], Cancellation));

        // With the standby there, it is the same one.
        _replication.End();
        Assert.True((await UntilConfirmedAsync(() => Store.AcquireAsync(request, Cancellation))).IsGranted);
    }

    /// <summary>A release is sent until it is confirmed, and a failover may lose it until then: with the end of a run that is not to be repeated.</summary>
    [Fact]
    [Promise("G5", "G11")]
    [Failure("F29")]
    public async Task A_release_that_no_standby_confirmed_is_not_told_when_it_is_sent_again()
    {
        var owner = new LockOwner("node", 1);
        Assert.True((await Store.AcquireAsync(new AcquireRequest { LockName = "released", Owner = owner, Entry = 1, LeaseDuration = TimeSpan.FromMinutes(1), ClaimWindow = TimeSpan.FromSeconds(5) }, Cancellation)).IsGranted);
        var request = new ReleaseRequest { LockName = "released", Owner = owner, Entry = 1, LeaseDuration = TimeSpan.FromMinutes(1), ClaimWindow = TimeSpan.FromSeconds(5) };
        _replication!.Begin(ProxyMode.BlackHole);
        var first = Store.ReleaseAsync(request, Cancellation);
        await Eventually.IsTrueAsync(async () => await CountAsync(WhoWaits) == 1, Bound, "the commit waits for the standby");
        await CountAsync($"FROM (SELECT pg_cancel_backend(pid) {WhoWaits}) AS cancelled");
        await Assert.ThrowsAsync<LockStoreException>(() => first);

        // Nobody has the lock any more, for all to see.
        Assert.Null(await _node!.Administration.GetHolderAsync(request.LockName, Cancellation));
        Assert.True((await Assert.ThrowsAsync<LockStoreException>(() => Store.ReleaseAsync(request, Cancellation))).IsTransient);

        _replication.End();
        Assert.Equal(ReleaseOutcome.NotHeld, (await UntilConfirmedAsync(() => Store.ReleaseAsync(request, Cancellation))).Outcome);
    }

    /// <summary>
    /// A server sends the notifications of a commit also when it was cancelled in its wait, and shows what it wrote. Whoever is told of a handover with all that it needs begins to work before
    /// it claims the lock. By mail it is told what may be seen, whatever the role says of waiting for standbys.
    /// </summary>
    [Theory]
    [InlineData(PostgreSqlNotifications.Listen)]
    [InlineData(PostgreSqlNotifications.Poll)]
    [Promise("G1")]
    [Failure("F29")]
    public async Task A_handover_that_no_standby_confirmed_is_believed_by_nobody(PostgreSqlNotifications notifications)
    {
        await using var one = CreateNode("one", notifications);
        await using var other = CreateNode("other", notifications);

        // The other listens before it waits: when it begins to listen it asks again, and what it knew before proves nothing any more.
        var lease = await one.GetLock("handed-over").AcquireAsync(Cancellation);
        await (await other.GetLock("before").AcquireAsync(Cancellation)).DisposeAsync();
        await Eventually.IsTrueAsync(
            async () => notifications == PostgreSqlNotifications.Poll || await CountAsync("FROM pg_stat_activity WHERE application_name = 'other' AND query LIKE 'LISTEN%' AND state = 'idle'") == 1, Bound, "the other listens");
        var next = other.GetLock("handed-over").AcquireAsync(Cancellation);
        await Eventually.IsTrueAsync(async () => (await one.Inspector.InspectAsync("handed-over", cancellationToken: Cancellation)).Waiters.Count == 1, Bound, "the other waits");

        _replication!.Begin(ProxyMode.BlackHole);
        var release = lease.ReleaseAsync(Cancellation);
        const string itsCommit = $"{WhoWaits} AND application_name = 'one'";
        await Eventually.IsTrueAsync(async () => await CountAsync(itsCommit) == 1, Bound, "the commit waits for the standby");
        await CountAsync($"FROM (SELECT pg_cancel_backend(pid) {itsCommit}) AS cancelled");

        // It was told: it asks for the lock, which waits for the standby as well.
        await Eventually.IsTrueAsync(
            async () => next.IsCompleted || await CountAsync($"{WhoWaits} AND application_name = 'other'") > 0, Bound, "the other asks");

        // Nothing else is to happen: longer than a notification takes on a busy machine.
        await Task.WhenAny(next, Task.Delay(TimeSpan.FromSeconds(2), Cancellation));
        Assert.False(next.IsCompletedSuccessfully, "The next in turn was told of a grant that no standby confirmed.");
        _replication.End();
        await using var granted = await next.WaitAsync(Bound, Cancellation);
        await release;
    }

    private Node CreateNode(string name = "one", PostgreSqlNotifications notifications = PostgreSqlNotifications.Listen) => new(
        builder => builder.UsePostgreSql(
            $"{_primary!.ConnectionString};Application Name={name};Options=-c synchronous_commit=local -c client_min_messages=error",
            options => (options.CommandTimeout, options.Notifications, options.PollInterval) = (TimeSpan.FromSeconds(1), notifications, TimeSpan.FromMilliseconds(50))),
        options => (options.LeaseDuration, options.ClaimWindow) = (TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(20)));

    /// <summary>Asks again and again.</summary>
    private static async Task<T> UntilConfirmedAsync<T>(Func<Task<T>> ask)
        where T : class
    {
        T? reply = null;
        await Eventually.IsTrueAsync(
            async () =>
            {
                try
                {
                    reply = await ask();
                    return true;
                }
                catch (LockStoreException e) when (e.IsTransient)
                {
                    return false;
                }
            },
            Bound,
            "the standby confirms");
        return reply!;
    }

    private async Task<long> CountAsync(string what)
    {
        await using var connection = new NpgsqlConnection(_primary!.ConnectionString + ";Pooling=false");
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand($"SELECT count(*) {what}", connection);
        return (long)(await command.ExecuteScalarAsync(Cancellation))!;
    }
}
