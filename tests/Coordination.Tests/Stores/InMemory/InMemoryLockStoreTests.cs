using Coordination.Stores;
using Coordination.Stores.InMemory;
using Microsoft.Extensions.Time.Testing;

namespace Coordination.Tests.Stores.InMemory;

public sealed class InMemoryLockStoreTests : LockStoreContract
{
    private readonly InMemoryLockStore _store = new();

    protected override Task<ILockStore> CreateStoreAsync() => Task.FromResult<ILockStore>(_store);

    protected override Task LoseAllDataAsync()
    {
        _store.Clear();
        return Task.CompletedTask;
    }

    protected override async Task AssertNothingLeftAsync(string lockName)
    {
        Assert.Equal(0, _store.Count);
        await base.AssertNothingLeftAsync(lockName);
    }

    [Fact]
    [Promise("G3")]
    [Failure("F19")]
    public async Task Tokens_grow_while_the_clock_stands_still_and_when_it_steps_back()
    {
        var clock = new FakeTimeProvider();
        var store = new InMemoryLockStore(clock);
        var last = 0L;
        for (var i = 0; i < 3; i++)
        {
            last = await GrantAsync(store, last);
            last = await GrantAsync(store, last);
            clock.AdjustTime(clock.GetUtcNow().AddHours(-1));
        }
    }

    [Fact]
    [Promise("G3")]
    [Failure("F19")]
    public async Task Tokens_follow_a_wall_clock_that_was_put_right_after_the_start()
    {
        var clock = new FakeTimeProvider(DateTimeOffset.UnixEpoch);
        var store = new InMemoryLockStore(clock);
        await GrantAsync(store, 0);
        clock.AdjustTime(new DateTimeOffset(2026, 1, 2, 12, 0, 0, TimeSpan.Zero));
        await GrantAsync(store, (clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond - 1);
    }

    private static async Task<long> GrantAsync(InMemoryLockStore store, long last)
    {
        var owner = new LockOwner("node", 1);
        var lease = TimeSpan.FromSeconds(30);
        var reply = await store.AcquireAsync(Requests.Acquire("work", owner, lease), TestContext.Current.CancellationToken);
        await store.ReleaseAsync(Requests.Release("work", owner, lease), TestContext.Current.CancellationToken);
        Assert.True(reply.FencingToken > last);
        return reply.FencingToken.Value;
    }
}
