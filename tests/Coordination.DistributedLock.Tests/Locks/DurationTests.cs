using Coordination.DistributedLock.Tests.Ways;
using Coordination.TestKit.Durations;
using Medallion.Threading;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.DistributedLock.Tests.Locks;

/// <summary>Every duration that the interfaces take, with every value that somebody may give.</summary>
public sealed class DurationTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(1);

    /// <summary>By the names of the locks that they are of; four each.</summary>
    private static readonly Dictionary<string, Func<IServiceProvider, IReadOnlyList<Way>>> Ways = new()
    {
        ["lock"] = services => AllWays.Of(services.GetRequiredService<IDistributedLockProvider>().CreateLock("lock")),
        ["semaphore"] = services => AllWays.Of(services.GetRequiredService<IDistributedSemaphoreProvider>().CreateSemaphore("semaphore", 1)),
        ["read"] = services => AllWays.ToRead(LockOf(services, "read")),
        ["write"] = services => AllWays.ToWrite(LockOf(services, "write")),
        ["upgradeable"] = services => AllWays.ToReadUpgradeably(LockOf(services, "upgradeable")),
        ["upgrade"] = services => AllWays.ToUpgrade(LockOf(services, "upgrade").AcquireUpgradeableReadLock(cancellationToken: Cancellation)),
    };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string> OfCalls => [.. Ways.Keys];

    public static TheoryData<string, TimeSpan> OfLocks => DurationValues.Of(typeof(LockOptions));

    [Fact]
    [Failure("F41")]
    public async Task Every_place_that_takes_a_duration_is_tried_here()
    {
        Assert.Empty(DurationPlaces.Of(typeof(DistributedSynchronizationHandleExtensions).Assembly));
        await using var node = CreateNode();
        Assert.Equal(
            DurationPlaces.Of(typeof(IDistributedLock).Assembly).Where(place => place.StartsWith("IDistributed", StringComparison.Ordinal)),
            Ways.Values.SelectMany(ways => ways(node)).Select(way => $"{way}(timeout)").Order(StringComparer.Ordinal));
    }

    [Theory]
    [Failure("F41")]
    [MemberData(nameof(OfCalls))]
    public async Task A_timeout_works_or_is_refused_by_the_call(string lockName)
    {
        foreach (var (timeout, number) in DurationValues.All.SelectMany(timeout => Enumerable.Range(0, 4).Select(number => (timeout, number))))
        {
            await using var node = CreateNode();
            var way = Ways[lockName](node)[number];
            try
            {
                var handle = await Task.Run(() => way.BeginAsync(timeout, Cancellation)).WaitAsync(Bound, Cancellation);
                Assert.True(handle is not null, $"{way} with {timeout}");
                await handle.DisposeAsync();
                Assert.Null((await node.GetRequiredService<ILockInspector>().InspectAsync(lockName, cancellationToken: Cancellation)).Holder);
            }
            catch (ArgumentOutOfRangeException error)
            {
                Assert.Equal(timeout, error.ActualValue);
                DurationValues.AssertRefused(nameof(timeout), timeout, error.Message);
            }
        }
    }

    [Theory]
    [Failure("F41")]
    [MemberData(nameof(OfLocks))]
    public async Task A_locks_duration_works_or_is_refused_where_the_lock_is_created(string name, TimeSpan value)
    {
        var options = new LockOptions();
        DurationValues.Set(options, name, value);
        await using var node = CreateNode(options);
        IDistributedLock work;
        try
        {
            work = node.GetRequiredService<IDistributedLockProvider>().CreateLock("work");
        }
        catch (ArgumentOutOfRangeException error)
        {
            Assert.Equal(value, error.ActualValue);
            DurationValues.AssertRefused(name, value, error.Message);
            return;
        }

        await using var handle = await work.AcquireAsync(Bound, Cancellation);
        Assert.Equal(LeaseState.Held, handle.GetLease()!.State);
    }

    private static IDistributedUpgradeableReaderWriterLock LockOf(IServiceProvider services, string name) =>
        services.GetRequiredService<IDistributedUpgradeableReaderWriterLockProvider>().CreateUpgradeableReaderWriterLock(name);

    private static ServiceProvider CreateNode(LockOptions? options = null)
    {
        var services = new ServiceCollection();
        services.AddCoordination().UseInMemory().AddDistributedLockProvider(options is null ? null : _ => options);
        return services.BuildServiceProvider();
    }
}
