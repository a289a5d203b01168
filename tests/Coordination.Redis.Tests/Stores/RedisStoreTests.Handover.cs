using Coordination.Redis.Tests.Servers;
using Coordination.Stores;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Redis.Tests.Stores;

/// <content>Handovers that the reply to a release tells of.</content>
public abstract partial class RedisStoreTests
{
    private readonly LockOwner _alsoAda = new("host-1-ada", 2);

    [Fact]
    [Promise("G3", "G9")]
    public async Task A_release_hands_the_lock_to_a_waiter_of_its_node_by_its_reply()
    {
        var heard = new List<LockNotification>();
        await using var subscription = await Store.SubscribeAsync(_ada.NodeId, notification => Add(heard, notification), Token);
        var before = (await AcquireAsync(_ada, wait: false)).FencingToken;
        await Store.AcquireAsync(Requests.Acquire("orders", _alsoAda, Lease, entry: 7, wait: true, claimWindow: ClaimWindow), Token);

        var reply = await ReleaseToOwnAsync(_node);

        var record = await RecordAsync();
        Assert.Equal((ReleaseOutcome.Released, _alsoAda, 7L, record.Token, ClaimWindow), (reply.Outcome, reply.NextOwner, reply.Handover!.Entry, reply.Handover.FencingToken, reply.Handover.ClaimWindow));
        Assert.Equal(record.From, (reply.Handover.At - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond);
        Assert.True(record.Token > before);
        Assert.Equal(('H', '0', (long)ClaimWindow.TotalMilliseconds, $"{_alsoAda}#7"), (record.State, record.Queue, record.Lease, record.Who));
        Assert.Equal([RecordKey], await KeysAsync());
        await Administration.PingAsync(Token);
        Assert.Equal(0, Count(heard));
    }

    /// <summary>A grant is none before replicas have confirmed it.</summary>
    [Fact]
    public async Task A_store_that_waits_for_replicas_hands_nothing_over_by_a_reply()
    {
        var connectionString = await server.GetConnectionStringAsync();
        await using var node = new TestNode(builder => builder.UseRedis(connectionString, options => (options.KeyPrefix, options.ReplicasToWaitFor, options.ProbeOnStart) = (_prefix, 1, false)));
        var heard = new List<LockNotification>();
        await using var subscription = await Store.SubscribeAsync(_ada.NodeId, notification => Add(heard, notification), Token);
        await AcquireAsync(_ada, wait: false);
        await AcquireAsync(_alsoAda, wait: true);

        Assert.Equal(ReleaseReply.Released, await ReleaseToOwnAsync(node));

        await Eventually.IsTrueAsync(() => Count(heard) == 1, Patience, "the waiter is told");
        Assert.Equal(('C', $"{_alsoAda}#1"), (await RecordAsync() is var record ? record.State : default, record.Who));
    }

    private Task<ReleaseReply> ReleaseToOwnAsync(TestNode node) =>
        node.Store.ReleaseAsync(Requests.Release("orders", _ada, ClaimWindow) with { TakesHandover = true }, Token);
}
