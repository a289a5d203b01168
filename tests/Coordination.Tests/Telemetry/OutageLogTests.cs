using Coordination.Stores;
using Coordination.Stores.InMemory;
using Coordination.Telemetry;
using Coordination.Testing;
using Coordination.TestKit.Clocks;
using Coordination.Tests.Leases;
using Coordination.Tests.Resilience;
using Coordination.Time;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Polly;

namespace Coordination.Tests.Telemetry;

public sealed class OutageLogTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    [Promise("G12")]
    public async Task An_outage_is_said_at_once_less_and_less_often_after_that_and_when_it_is_over()
    {
        var step = TimeSpan.FromMilliseconds(50);
        await using var node = new TestNode();
        node.Store.IsAway = true;
        Task<ILockLease> waiting = null!;
        await node.UntilAsleepAsync(() => waiting = node.AcquireAsync());
        for (var end = node.Clock.GetUtcNow().AddSeconds(185); node.Clock.GetUtcNow() < end;)
        {
            // The waiter, and the subscription once it is begun, sleep on the clock between two tries, and it does not run ahead of them.
            Assert.True(SpinWait.SpinUntil(() => node.Clock.Asleep >= (node.Store.GetCallCount(StoreOperation.Subscribe) == 0 ? 1 : 2), TimeSpan.FromMinutes(1)));
            node.Clock.Advance(step);
        }

        node.Store.IsAway = false;
        for (var i = 0; i < 1_000 && !SpinWait.SpinUntil(() => waiting.IsCompleted, step); i++)
        {
            node.Clock.Advance(step);
        }

        Assert.True(waiting.IsCompletedSuccessfully);
        node.Advance(TimeSpan.FromSeconds(1.1));

        var lines = node.Logs.GetSnapshot().Where(line => line.Level >= LogLevel.Information && line.Id.Id is >= 1010 and <= 1019).ToList();
        Assert.Equal([1010, 1011, 1011, 1011, 1011, 1011, 1012], lines.Select(line => line.Id.Id));
        var elapsed = lines[1..^1].Select(line => TimeSpan.Parse(line.StructuredState!.First(item => item.Key == "Elapsed").Value!, null).TotalSeconds).ToList();
        Assert.Equal([5.0, 15, 60, 120, 180], elapsed.Select(seconds => Math.Floor(seconds / 5) * 5));
        Assert.DoesNotContain(node.Logs.GetSnapshot(), line => line.Exception is not null);
    }

    [Fact]
    [Failure("F49")]
    public async Task A_store_that_fails_every_other_call_is_one_outage_until_a_quiet_second()
    {
        // Told by hand, for a store that is away is not asked as often.
        await using var node = new TestNode();
        var condition = node.Services.GetRequiredService<StoreCondition>();
        for (var i = 0; i < 2_000; i++)
        {
            if (i % 2 == 0)
            {
                condition.Failed(StoreCall.Acquisition, shard: 0, "work", PartlyAwayStore.Away);
            }
            else
            {
                condition.Succeeded(StoreCall.Acquisition, node.Clock.Uptime, shard: 0, "work");
            }

            node.Clock.Advance(TimeSpan.FromMilliseconds(1));
        }

        Assert.Equal([1010], OutageLines(node).Select(line => line.Id.Id));
        node.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal([1010, 1012], OutageLines(node).Select(line => line.Id.Id));
    }

    [Fact]
    [Failure("F49")]
    public async Task A_part_that_is_away_is_said_to_be_once_and_no_other_part_is()
    {
        var clock = new TestClock();
        var store = new PartlyAwayStore(new InMemoryLockStore(clock)) { Fault = name => name[0] == 'a' ? PartlyAwayStore.Away : null };
        await using var node = new TestNode(clock, configure: WithoutRetries, actualStore: store);
        for (var i = 0; i < 500; i++)
        {
            var trying = node.Provider.GetLock("a" + i).TryAcquireAsync(Token);
            node.Clock.Advance(TimeSpan.FromMilliseconds(1));
            Assert.NotNull(await node.Provider.GetLock("b" + i).TryAcquireAsync(Token));
            if (i > 0)
            {
                // Nobody is told that a call failed which was never made.
                node.AdvanceUntil(() => trying.IsCompleted, TimeSpan.FromSeconds(1));
            }
        }

        var lines = OutageLines(node).ToList();
        Assert.InRange(lines.Count, 2, 5);
        Assert.All(lines, line => Assert.Contains($"in its shard {(int)'a'}", line.Message, StringComparison.Ordinal));
        var condition = node.Services.GetRequiredService<StoreCondition>();
        Assert.Contains("The connection is gone.", condition.Trouble, StringComparison.Ordinal);
    }

    [Fact]
    [Failure("F49")]
    public async Task A_refusal_is_no_outage_and_is_said_once_until_it_changes_or_has_passed()
    {
        var clock = new TestClock();
        var store = new PartlyAwayStore(new InMemoryLockStore(clock));
        await using var node = new TestNode(clock, configure: WithoutRetries, actualStore: store);
        await RefuseAsync("The key is a list.");
        await RefuseAsync("The right is missing.");
        Assert.Contains("The right is missing.", node.Services.GetRequiredService<StoreCondition>().Trouble, StringComparison.Ordinal);
        store.Fault = _ => null;
        await (await node.AcquireAsync("refused")).DisposeAsync();
        Assert.Null(node.Services.GetRequiredService<StoreCondition>().Trouble);
        await RefuseAsync("The right is missing.");
        Assert.Equal([1013, 1013], OutageLines(node).Select(line => line.Id.Id));

        store.Fault = _ => null;
        await (await node.AcquireAsync("refused")).DisposeAsync();
        node.Clock.Advance(TimeSpan.FromSeconds(61));
        await RefuseAsync("The right is missing.");
        Assert.Equal([1013, 1013, 1013], OutageLines(node).Select(line => line.Id.Id));

        async Task RefuseAsync(string why)
        {
            store.Fault = name => name == "refused" ? new LockStoreException(why) : null;
            for (var i = 0; i < 100; i++)
            {
                await Assert.ThrowsAsync<LockStoreException>(() => node.Provider.GetLock("refused").TryAcquireAsync(Token));

                // One that goes well meanwhile, in the same partition, ends nothing.
                Assert.NotNull(await node.Provider.GetLock("rest" + Guid.NewGuid()).TryAcquireAsync(Token));
            }
        }
    }

    /// <summary>Told by hand, as the calls of many leases and of one lock tell it.</summary>
    [Fact]
    [Failure("F49")]
    public async Task Each_reason_of_a_refusal_is_said_once_whatever_is_refused_for_it()
    {
        await using var node = new TestNode();
        var condition = node.Services.GetRequiredService<StoreCondition>();
        var (right, key, command) = (new IOException("User app lacks a right, in script 5f2b."), "is not ours", new InvalidOperationException("Unknown command."));
        for (var i = 0; i < 1_000; i++)
        {
            // One right for many locks: of acquisitions, and of batches whose texts name different locks.
            Refuse(StoreCall.Acquisition, $"lock{i % 300}", $"Cannot acquire the lock 'lock{i % 300}'. Grant the right.", right);
            Refuse(StoreCall.Renewal, $"lock{i % 7}", $"Cannot renew several locks, among them 'held{i % 50}'. Grant the right.", right);

            // Many reasons in turn for one lock, and one that is refused every other time.
            Refuse(StoreCall.Acquisition, "one", $"Cannot acquire the lock 'one': the key 'one' can't be read, and {key}.", inner: null);
            Refuse(StoreCall.Acquisition, "one", "Cannot acquire the lock 'one'.", command);
            condition.Succeeded(StoreCall.Acquisition, node.Clock.Uptime, shard: 0, "one");
            condition.Succeeded(StoreCall.Renewal, node.Clock.Uptime, shard: 0, "lock");
            node.Clock.Advance(TimeSpan.FromMilliseconds(10));
        }

        Assert.Equal([1013, 1013, 1013], OutageLines(node).Select(line => line.Id.Id));
        Assert.NotNull(condition.Trouble);

        void Refuse(StoreCall call, string name, string text, Exception? inner) =>
            condition.Failed(call, shard: 0, name, new LockStoreException(text, isTransient: false, inner));
    }

    /// <summary>As on a server without memory, which extends leases still.</summary>
    [Fact]
    [Failure("F49", "F58")]
    public async Task A_store_that_renews_and_grants_nothing_is_away_until_an_acquisition_succeeds()
    {
        var clock = new TestClock();
        var store = new PartlyAwayStore(new InMemoryLockStore(clock));
        await using var node = new TestNode(clock, actualStore: store);
        var condition = node.Services.GetRequiredService<StoreCondition>();
        var held = await node.AcquireAsync("a held");
        store.Fault = name => name == "a wanted" ? PartlyAwayStore.Away : null;
        for (var tries = 0; tries < 3; tries++)
        {
            var trying = node.Provider.GetLock("a wanted").TryAcquireAsync(Token);
            Assert.True(node.AdvanceUntil(() => trying.IsCompleted, TimeSpan.FromSeconds(10)));
            await Assert.ThrowsAsync<LockStoreException>(() => trying);
            for (var seconds = 0; seconds < 30; seconds++)
            {
                node.Advance(TimeSpan.FromSeconds(1));
                Assert.NotNull(condition.Trouble);
            }
        }

        Assert.Equal(LeaseState.Held, held.State);
        Assert.DoesNotContain(1012, OutageLines(node).Select(line => line.Id.Id));
        store.Fault = _ => null;
        Assert.NotNull(await node.Provider.GetLock("a wanted").TryAcquireAsync(Token));
        node.Advance(TimeSpan.FromSeconds(1.1));
        Assert.Null(condition.Trouble);
        Assert.Equal(1012, OutageLines(node).Last().Id.Id);
    }

    [Fact]
    [Failure("F49")]
    public async Task An_outage_is_over_a_second_after_a_renewal_or_a_minute_after_an_acquisition()
    {
        var clock = new TestClock();
        var store = new PartlyAwayStore(new InMemoryLockStore(clock));
        await using var node = new TestNode(clock, actualStore: store);
        var condition = node.Services.GetRequiredService<StoreCondition>();
        await node.AcquireAsync("a held");
        store.Fault = _ => PartlyAwayStore.Away;
        Assert.True(node.AdvanceUntil(() => condition.Trouble is not null, TimeSpan.FromSeconds(10)));
        store.Fault = _ => null;
        node.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal([1010, 1012], OutageLines(node).Select(line => line.Id.Id));

        store.Fault = _ => PartlyAwayStore.Away;
        var trying = node.Provider.GetLock("a wanted").TryAcquireAsync(Token);
        Assert.True(node.AdvanceUntil(() => trying.IsCompleted, TimeSpan.FromSeconds(10)));
        await Assert.ThrowsAsync<LockStoreException>(() => trying);
        store.Fault = _ => null;
        node.Advance(TimeSpan.FromSeconds(55));
        Assert.NotNull(condition.Trouble);
        node.Advance(TimeSpan.FromSeconds(15));
        Assert.Null(condition.Trouble);
        Assert.Equal([1010, 1012, 1010, 1012], OutageLines(node).Select(line => line.Id.Id));
    }

    [Fact]
    [Failure("F40", "F58")]
    public async Task What_an_operator_asks_in_vain_is_no_trouble_and_holds_up_no_lock()
    {
        var clock = new TestClock();
        var store = new PartlyAwayStore(new InMemoryLockStore(clock));
        await using var node = new TestNode(clock, configure: WithoutRetries, actualStore: store);
        var inspector = node.Services.GetRequiredService<ILockInspector>();
        foreach (var error in (LockStoreException[])[new("The right to inspect is missing."), PartlyAwayStore.Away])
        {
            store.Fault = _ => error;
            await Assert.ThrowsAsync<LockStoreException>(() => inspector.InspectAsync("work", cancellationToken: Token));
            store.Fault = _ => null;
            Assert.Null(node.Services.GetRequiredService<StoreCondition>().Trouble);
            Assert.Empty(OutageLines(node));
            Assert.True(node.Provider.GetLock("work").TryAcquireAsync(Token).IsCompletedSuccessfully, "It waits at the gate.");
        }
    }

    /// <summary>As of a Cluster that was away when the node called it first.</summary>
    [Fact]
    [Failure("F49", "F58")]
    public async Task An_outage_from_before_the_shards_were_known_is_over_when_the_shard_replies()
    {
        var clock = new TestClock();
        var store = new PartlyAwayStore(new InMemoryLockStore(clock)) { KnowsShards = false, Fault = _ => PartlyAwayStore.Away };
        await using var node = new TestNode(clock, configure: WithoutRetries, actualStore: store);
        var condition = node.Services.GetRequiredService<StoreCondition>();
        await Assert.ThrowsAsync<LockStoreException>(() => node.Provider.GetLock("a").TryAcquireAsync(Token));
        store.KnowsShards = true;
        store.Fault = _ => null;

        // Another shard says nothing of it.
        Assert.NotNull(await node.Provider.GetLock("b").TryAcquireAsync(Token));
        node.Clock.Advance(TimeSpan.FromSeconds(2));
        Assert.NotNull(condition.Trouble);
        Assert.NotNull(await node.Provider.GetLock("a").TryAcquireAsync(Token));
        node.Clock.Advance(TimeSpan.FromSeconds(1.1));
        Assert.Null(condition.Trouble);
        Assert.Equal([1010, 1012], OutageLines(node).Select(line => line.Id.Id));
    }

    [Fact]
    [Failure("F49")]
    public async Task An_outage_that_nobody_asked_about_for_a_minute_is_known_to_nobody_any_more()
    {
        await using var node = new TestNode(configure: WithoutRetries);
        node.Store.IsAway = true;
        await Assert.ThrowsAsync<LockStoreException>(() => node.Provider.GetLock("work").TryAcquireAsync(Token));
        var condition = node.Services.GetRequiredService<StoreCondition>();
        Assert.NotNull(condition.Trouble);
        node.Clock.Advance(TimeSpan.FromSeconds(61));
        Assert.Null(condition.Trouble);
        Assert.False(condition.IsKnown);
    }

    [Fact]
    public async Task A_lease_says_one_line_for_each_change_of_state()
    {
        await using var node = new TestNode();
        var lease = await node.AcquireAsync();
        node.Store.FailRenewals = true;
        node.Advance(TimeSpan.FromSeconds(10));
        node.Store.FailRenewals = false;
        node.Advance(TimeSpan.FromSeconds(10));
        await lease.ReleaseAsync(TestContext.Current.CancellationToken);
        var lines = node.Logs.GetSnapshot().Where(line => line.Id.Id is >= 1000 and < 1010).Select(line => line.Id.Id);
        Assert.Equal([1000, 1002, 1003, 1001], lines);
    }

    private static void WithoutRetries(IServiceCollection services) => services.AddResiliencePipeline(CoordinationPipelines.Acquisition, (_, _) => { });

    private static IEnumerable<FakeLogRecord> OutageLines(TestNode node) => node.Logs.GetSnapshot().Where(line => line.Id.Id is >= 1010 and <= 1019);
}
