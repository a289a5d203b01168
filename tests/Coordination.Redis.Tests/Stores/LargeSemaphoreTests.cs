using Coordination.Redis.Tests.Servers;
using Coordination.Stores;
using Coordination.TestKit.Servers;

namespace Coordination.Redis.Tests.Stores;

/// <summary>A semaphore with many permits, asked directly.</summary>
[Needs(Need.RedisServer)]
public sealed class LargeSemaphoreTests(RedisServerFixture server)
{
    private const int Permits = 2_000;

    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(5);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Released in order, half of them first, and taken again: each number has one holder, and the lowest are given first.</summary>
    [Fact]
    [Promise("G1")]
    public async Task Numbers_of_many_permits_are_given_once_and_the_lowest_first()
    {
        var prefix = "test-" + Guid.NewGuid().ToString("N")[..8];
        await using var node = new TestNode(await server.GetSettingsAsync(), prefix);
        var owners = Enumerable.Range(1, Permits).Select(i => new LockOwner("-ada", i)).ToArray();
        Assert.Equal(Enumerable.Range(0, Permits), await AcquireAsync(node.Store, owners));

        await ReleaseAsync(node.Store, owners[..(Permits / 2)]);
        await ReleaseAsync(node.Store, owners[^10..]);
        Assert.Equal(Enumerable.Range(0, 10), await AcquireAsync(node.Store, owners[..10]));

        await ReleaseAsync(node.Store, [.. owners[..10], .. owners[(Permits / 2)..^10].Reverse()]);
        Assert.Equal(Enumerable.Range(0, 3), await AcquireAsync(node.Store, owners[..3]));

        // What nobody has any more is not remembered one by one: it would be read and written by each request.
        await using var connection = await server.ConnectAsOperatorAsync();
        Assert.InRange(await connection.GetDatabase().HashStringLengthAsync(LockText.KeyOf(prefix, "large"), "@"), 1, 100);
    }

    private static async Task<int[]> AcquireAsync(ILockStore store, LockOwner[] owners)
    {
        // One after another on the server, whichever connection they take.
        var permits = new List<int>();
        foreach (var owner in owners)
        {
            permits.Add((await store.AcquireAsync(Requests.Acquire("large", owner, Lease) with { Share = LockShare.PermitOf(Permits) }, Token)).Permit!.Value);
        }

        return [.. permits];
    }

    private static async Task ReleaseAsync(ILockStore store, LockOwner[] owners)
    {
        foreach (var owner in owners)
        {
            var reply = await store.ReleaseAsync(Requests.Release("large", owner, Lease) with { Share = LockShare.PermitOf(Permits), LeaseDuration = Lease }, Token);
            Assert.Equal(ReleaseOutcome.Released, reply.Outcome);
        }
    }
}
