using Coordination.Occurrences;
using Coordination.Stores.InMemory;
using Coordination.TestKit.Stores;
using Coordination.Tests.Leases;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Tests.Locks;

/// <summary>What may be asked of locks that several may hold.</summary>
public sealed class SharedLockTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(int.MinValue)]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(10_001)]
    public async Task A_semaphore_has_1_to_10000_permits_and_an_error_names_both(int permits)
    {
        await using var node = new TestNode();
        foreach (var error in new[]
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => node.Provider.GetSemaphore("work", permits)),
            Assert.Throws<ArgumentOutOfRangeException>(() => LockShare.PermitOf(permits)),
            Assert.Throws<ArgumentOutOfRangeException>(() => LockCapacity.Semaphore(permits)),
        })
        {
            Assert.Contains($"1 to 10000 permits, and not {permits}", error.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(10_000)]
    public async Task A_semaphore_of_the_fewest_and_of_the_most_permits_is_had(int permits)
    {
        await using var node = new TestNode();
        var semaphore = node.Provider.GetSemaphore("work", permits);
        Assert.Equal("work", semaphore.Name);
        await using var lease = await semaphore.AcquireAsync(Token);
        Assert.Equal(0, lease.Permit);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a{b")]
    public async Task A_name_that_no_lock_can_have_is_refused(string name)
    {
        await using var node = new TestNode();
        Assert.ThrowsAny<ArgumentException>(() => node.Provider.GetSemaphore(name, 2));
        Assert.ThrowsAny<ArgumentException>(() => node.Provider.GetReaderWriterLock(name));
    }

    [Fact]
    public async Task Options_are_looked_at_and_one_that_only_an_exclusive_lock_has_is_refused()
    {
        await using var node = new TestNode();
        var barging = new LockOptions { AllowBarging = true };
        Assert.Contains(nameof(LockOptions.AllowBarging), Assert.Throws<ArgumentException>(() => node.Provider.GetSemaphore("work", 2, barging)).Message, StringComparison.Ordinal);
        Assert.Contains(nameof(LockOptions.AllowBarging), Assert.Throws<ArgumentException>(() => node.Provider.GetReaderWriterLock("work", barging)).Message, StringComparison.Ordinal);
        var tooLong = new LockOptions { MaxHold = TimeSpan.MaxValue };
        Assert.Throws<ArgumentOutOfRangeException>(() => node.Provider.GetSemaphore("work", 2, tooLong));
        Assert.Throws<ArgumentOutOfRangeException>(() => node.Provider.GetReaderWriterLock("work", tooLong));
    }

    [Fact]
    public async Task Nobody_enters_again_what_several_may_hold()
    {
        await using var node = new TestNode();
        var owner = node.Provider.CreateOwner();
        var prices = node.Provider.GetReaderWriterLock("work");
        foreach (var shared in new[] { node.Provider.GetSemaphore("work", 2), prices.Read, prices.UpgradeableRead, prices.Write })
        {
            Assert.Contains("'work'", Assert.Throws<NotSupportedException>(() => shared.WithOwner(owner)).Message, StringComparison.Ordinal);
        }

        // A second one is another's, also in the same flow of work.
        var semaphore = node.Provider.GetSemaphore("permits", 2);
        await using var first = await semaphore.AcquireAsync(Token);
        await using var second = await semaphore.AcquireAsync(Token);
        Assert.NotEqual(first.Owner, second.Owner);
        Assert.Null(await semaphore.TryAcquireAsync(Token));
    }

    [Fact]
    public async Task A_store_of_exclusive_locks_alone_says_so()
    {
        await using var node = new TestNode(actualStore: new WithoutShares());
        await using var exclusive = await node.AcquireAsync();
        var occurrences = node.Services.GetRequiredService<OccurrenceLocks>();
        foreach (var error in new[]
        {
            Assert.Throws<NotSupportedException>(() => node.Provider.GetSemaphore("work", 2)),
            Assert.Throws<NotSupportedException>(() => node.Provider.GetReaderWriterLock("work")),
            await Assert.ThrowsAsync<NotSupportedException>(() => occurrences.TryAcquireAsync("work", LockShare.Read, null, null, Token)),
            await Assert.ThrowsAsync<NotSupportedException>(() => occurrences.AcquireAsync("work", LockShare.PermitOf(2), null, null, TimeSpan.Zero, Token)),
        })
        {
            Assert.Contains("exclusive locks only", error.Message, StringComparison.Ordinal);
        }
    }

    /// <summary>The store keeps the read for the safety margin still, and would have the upgrade wait.</summary>
    [Fact]
    [Promise("G2", "G8")]
    public async Task Who_waits_to_upgrade_learns_that_the_read_is_lost_when_its_node_does()
    {
        await using var node = new TestNode();
        var bounded = node.Provider.GetReaderWriterLock("work", new LockOptions { MaxHold = TimeSpan.FromSeconds(1) });
        var reading = await bounded.UpgradeableRead.AcquireAsync(Token);
        await using var other = await node.Provider.GetReaderWriterLock("work").Read.AcquireAsync(Token);
        var upgrade = bounded.Upgrade(reading);
        Task<ILockLease?>[] waits = [upgrade.AcquireAsync(Token)!, upgrade.TryAcquireAsync(TimeSpan.FromHours(1), Token), upgrade.AsStandby().AcquireAsync(Token)!];

        Assert.True(node.AdvanceUntil(() => reading.Lost.IsCancellationRequested, TimeSpan.FromMinutes(1)));
        foreach (var wait in waits)
        {
            Assert.Equal(LeaseLossReason.MaxHoldReached, (await Assert.ThrowsAsync<LeaseLostException>(() => wait.WaitAsync(TimeSpan.FromMinutes(1), Token))).Reason);
        }

        Assert.Equal(LeaseLossReason.MaxHoldReached, (await Assert.ThrowsAsync<LeaseLostException>(() => upgrade.TryAcquireAsync(Token))).Reason);
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        Assert.Equal(cancelled.Token, (await Assert.ThrowsAnyAsync<OperationCanceledException>(() => upgrade.AcquireAsync(cancelled.Token))).CancellationToken);
    }

    [Fact]
    public async Task A_name_in_other_use_is_said_at_each_way_to_ask_and_leaves_nothing_behind()
    {
        await using var node = new TestNode();
        await using var held = await node.Provider.GetSemaphore("work", 2).AcquireAsync(Token);
        foreach (var other in new[] { node.Provider.GetLock("work"), node.Provider.GetSemaphore("work", 3), node.Provider.GetReaderWriterLock("work").Write })
        {
            foreach (var ask in new Func<Task>[]
            {
                () => other.TryAcquireAsync(Token),
                () => other.AcquireAsync(Token),
                () => other.TryAcquireAsync(TimeSpan.FromSeconds(5), Token),
                () => other.AcquireAsync(TimeSpan.FromSeconds(5), Token),
            })
            {
                var refused = await Assert.ThrowsAsync<LockStoreException>(ask);
                Assert.Equal((LockCapacity.Semaphore(2), false), (refused.InUseAs, refused.IsTransient));
            }
        }

        Assert.Equal(1, node.Store.Count);
        Assert.Equal(0, (await node.Store.InspectAsync("work", 0, Token)).WaiterCount);
    }

    private sealed class WithoutShares() : DelegatingLockStore(new InMemoryLockStore())
    {
        public override bool KeepsShares => false;
    }
}
