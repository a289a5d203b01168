using Coordination.TestKit.Durations;
using Medallion.Threading;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.DistributedLock.Tests.Locks;

/// <summary>Every duration that the interfaces take, with every value that somebody may give.</summary>
public sealed class DurationTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(1);

    private static readonly Dictionary<string, Func<IDistributedLock, TimeSpan, Task<IDisposable?>>> Calls = new()
    {
        ["IDistributedLock.Acquire(timeout)"] = (work, timeout) => Task.Run(IDisposable? () => work.Acquire(timeout, Cancellation)),
        ["IDistributedLock.AcquireAsync(timeout)"] = async (work, timeout) => await work.AcquireAsync(timeout, Cancellation),
        ["IDistributedLock.TryAcquire(timeout)"] = (work, timeout) => Task.Run(IDisposable? () => work.TryAcquire(timeout, Cancellation)),
        ["IDistributedLock.TryAcquireAsync(timeout)"] = async (work, timeout) => await work.TryAcquireAsync(timeout, Cancellation),
    };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string, TimeSpan> OfCalls => DurationValues.Of(Calls.Keys);

    public static TheoryData<string, TimeSpan> OfLocks => DurationValues.Of(typeof(LockOptions));

    [Fact]
    [Failure("F41")]
    public void Every_place_that_takes_a_duration_is_tried_here()
    {
        Assert.Empty(DurationPlaces.Of(typeof(DistributedSynchronizationHandleExtensions).Assembly));
        Assert.Equal(
            Calls.Keys.Order(StringComparer.Ordinal),
            DurationPlaces.Of(typeof(IDistributedLock).Assembly).Where(place => place.StartsWith($"{nameof(IDistributedLock)}.", StringComparison.Ordinal)));
    }

    [Theory]
    [Failure("F41")]
    [MemberData(nameof(OfCalls))]
    public async Task A_timeout_works_or_is_refused_by_the_call(string call, TimeSpan timeout)
    {
        await using var node = CreateNode();
        var work = node.GetRequiredService<IDistributedLockProvider>().CreateLock("work");
        try
        {
            using var handle = await Calls[call](work, timeout).WaitAsync(Bound, Cancellation);
            Assert.NotNull(handle);
        }
        catch (ArgumentOutOfRangeException error)
        {
            Assert.Equal(timeout, error.ActualValue);
            DurationValues.AssertRefused(nameof(timeout), timeout, error.Message);
        }

        Assert.Null((await node.GetRequiredService<ILockInspector>().InspectAsync("work", cancellationToken: Cancellation)).Holder);
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

    private static ServiceProvider CreateNode(LockOptions? options = null)
    {
        var services = new ServiceCollection();
        services.AddCoordination().UseInMemory().AddDistributedLockProvider(options is null ? null : _ => options);
        return services.BuildServiceProvider();
    }
}
