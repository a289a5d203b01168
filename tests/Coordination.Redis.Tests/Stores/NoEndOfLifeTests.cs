using Coordination.Redis.Tests.Servers;
using Coordination.TestKit.Servers;
using StackExchange.Redis;

namespace Coordination.Redis.Tests.Stores;

/// <summary>A lock whose keys have no end of life any more: by an operator's PERSIST, or because a tool copied them without it.</summary>
[Needs(Need.RedisServer, Need.LongTier)]
public sealed class NoEndOfLifeTests(RedisServerFixture server) : IAsyncLifetime
{
    private const string Name = "orders";
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(100);

    private readonly string _prefix = "test-" + Guid.NewGuid().ToString("N")[..8];
    private readonly LockOwner _ada = new("host-1-ada", 1);
    private readonly LockOwner _bob = new("host-2-bob", 1);
    private TestNode? _node;
    private ConnectionMultiplexer? _operator;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private TestNode Node => _node!;

    public async ValueTask InitializeAsync()
    {
        _node = new TestNode(await server.GetConnectionStringAsync(), _prefix);
        _operator = await server.ConnectAsOperatorAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Node.DisposeAsync();
        await _operator!.DisposeAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [Promise("G1")]
    [Failure("F44")]
    public async Task The_holders_lease_counts_and_not_that_of_whoever_asks(bool isRestored)
    {
        Assert.True((await Node.Store.AcquireAsync(Requests.Acquire(Name, _ada, Long), Token)).IsGranted);
        await TakeEndOfLifeAwayAsync(isRestored);

        var began = TimeProvider.System.GetTimestamp();
        // Nothing may happen for as long as several leases of the one who asks.
        while (TimeProvider.System.GetElapsedTime(began) < 10 * Short)
        {
            var reply = await Node.Store.AcquireAsync(Requests.Acquire(Name, _bob, Short, wait: true), Token);
            Assert.False(reply.IsGranted, $"Two hold the lock: the second was granted it after {TimeProvider.System.GetElapsedTime(began)}, with {Long} to go for the first.");
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [Promise("G4")]
    [Failure("F44")]
    public async Task A_dead_holders_lock_is_taken_over_when_its_own_lease_ends(bool isRestored)
    {
        Assert.True((await Node.Store.AcquireAsync(Requests.Acquire(Name, _ada, TimeSpan.FromSeconds(1)), Token)).IsGranted);
        await TakeEndOfLifeAwayAsync(isRestored);

        await using var lease = await Node.GetLock(Name, new LockOptions { LeaseDuration = Long }).AcquireAsync(Long / 2, Token);
    }

    private async Task TakeEndOfLifeAwayAsync(bool byRestore)
    {
        var database = _operator!.GetDatabase();
        await foreach (var key in _operator.GetServers()[0].KeysAsync(pattern: $"{_prefix}:*{{{Name}}}*"))
        {
            if (byRestore)
            {
                await database.ExecuteAsync("RESTORE", key, 0, (await database.KeyDumpAsync(key))!, "REPLACE");
            }
            else
            {
                await database.KeyPersistAsync(key);
            }

            Assert.Null(await database.KeyTimeToLiveAsync(key));
        }
    }
}
