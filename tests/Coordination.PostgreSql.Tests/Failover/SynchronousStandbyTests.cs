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
        AcquireReply? granted = null;
        await Eventually.IsTrueAsync(
            async () =>
            {
                try
                {
                    granted = await Store.AcquireAsync(request, Cancellation);
                    return true;
                }
                catch (LockStoreException e) when (e.IsTransient)
                {
                    return false;
                }
            },
            Bound,
            "the standby confirms");
        Assert.True(granted!.IsGranted);
    }

    /// <summary>A server sends the notifications of a commit also when it was cancelled in its wait, and whoever is notified begins to work before it claims the lock.</summary>
    [Fact]
    [Promise("G1")]
    [Failure("F29")]
    [Due("notifications only of what the standby confirmed", "was told of a grant")]
    public async Task A_handover_that_no_standby_confirmed_is_told_to_nobody()
    {
        await using var other = CreateNode();
        var lease = await _node!.GetLock("handed-over").AcquireAsync(Cancellation);
        var next = other.GetLock("handed-over").AcquireAsync(Cancellation);
        await Eventually.IsTrueAsync(async () => (await _node.Inspector.InspectAsync("handed-over", cancellationToken: Cancellation)).Waiters.Count == 1, Bound, "the other waits");

        _replication!.Begin(ProxyMode.BlackHole);
        var release = lease.ReleaseAsync(Cancellation);
        await Eventually.IsTrueAsync(async () => await CountAsync(WhoWaits) >= 1, Bound, "the commit waits for the standby");

        // Each commit that waits is cancelled, so that the one of the handover is among them.
        var begunAt = TimeProvider.System.GetTimestamp();

        // Nothing is to happen: longer than a notification takes on a busy machine.
        while (!next.IsCompleted && TimeProvider.System.GetElapsedTime(begunAt) < TimeSpan.FromSeconds(4))
        {
            await CountAsync($"FROM (SELECT pg_cancel_backend(pid) {WhoWaits}) AS cancelled");

            // A pause, until others wait.
            await Task.WhenAny(next, Task.Delay(TimeSpan.FromMilliseconds(100), Cancellation));
        }

        Assert.False(next.IsCompletedSuccessfully, "The next in turn was told of a grant that no standby confirmed.");
        _replication.End();
        await using var granted = await next.WaitAsync(Bound, Cancellation);
        await release;
    }

    private Node CreateNode() => new(
        builder => builder.UsePostgreSql(_primary!.ConnectionString, options => options.CommandTimeout = TimeSpan.FromSeconds(1)),
        options => (options.LeaseDuration, options.ClaimWindow) = (TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(20)));

    private async Task<long> CountAsync(string what)
    {
        await using var connection = new NpgsqlConnection(_primary!.ConnectionString + ";Pooling=false");
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand($"SELECT count(*) {what}", connection);
        return (long)(await command.ExecuteScalarAsync(Cancellation))!;
    }
}
