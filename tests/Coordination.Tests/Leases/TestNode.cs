using Coordination.Leases;
using Coordination.Stores;
using Coordination.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using Microsoft.Extensions.Time.Testing;

namespace Coordination.Tests.Leases;

/// <summary>A node on a store that fails on demand, and a clock that moves when the test says so.</summary>
public sealed class TestNode : IAsyncDisposable
{
    /// <summary>Fine enough to hit every renewal and retry of the default timings, one at a time.</summary>
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(10);

    private static readonly TimeSpan RealTimeLimit = TimeSpan.FromSeconds(20);

    private readonly ServiceProvider _services;

    public TestNode(FakeTimeProvider? clock = null, ControllableLockStore? store = null, Action<IServiceCollection>? configure = null, ILockStore? actualStore = null)
    {
        Clock = clock ?? new FakeTimeProvider(DateTimeOffset.Parse("2030-01-01T00:00:00Z", null));
        Store = store ?? new ControllableLockStore(Clock);
        var services = new ServiceCollection();
        services.AddSingleton<TimeProvider>(Clock);
        services.AddLogging(logging => logging.AddFakeLogging().SetMinimumLevel(LogLevel.Debug));
        services.AddCoordination();
        services.AddSingleton(actualStore ?? Store);
        configure?.Invoke(services);
        _services = services.BuildServiceProvider();
    }

    public FakeTimeProvider Clock { get; }

    public ControllableLockStore Store { get; }

    public IServiceProvider Services => _services;

    public ILockProvider Provider => _services.GetRequiredService<ILockProvider>();

    public FakeLogCollector Logs => _services.GetFakeLogCollector();

    internal Watchdog Watchdog => _services.GetRequiredService<Watchdog>();

    public Task<ILockLease> AcquireAsync(string name = "work", LockOptions? options = null) =>
        Provider.GetLock(name, options).AcquireAsync(TestContext.Current.CancellationToken);

    /// <summary>Moves the clock in small steps, and lets the watchdog do at each what is due.</summary>
    public void Advance(TimeSpan time) => AdvanceUntil(() => false, time);

    /// <summary>As <see cref="Advance"/>, until a condition holds.</summary>
    /// <returns>Whether it held in that time.</returns>
    public bool AdvanceUntil(Func<bool> condition, TimeSpan atMost)
    {
        for (var passed = TimeSpan.Zero; passed < atMost && !condition(); passed += Step)
        {
            Clock.Advance(Step);
            Settle();
        }

        return condition();
    }

    /// <summary>Waits until the watchdog has done what is due.</summary>
    public void Settle() => Assert.True(SpinWait.SpinUntil(() => Watchdog.IsIdle, RealTimeLimit), "The watchdog did not come to rest.");

    public async ValueTask DisposeAsync()
    {
        Store.Hang = false;

        // What still runs waits on a clock that nobody moves any more.
        var disposing = _services.DisposeAsync().AsTask();
        while (!disposing.IsCompleted)
        {
            Clock.Advance(TimeSpan.FromSeconds(1));
            await Task.WhenAny(disposing, Task.Run(Thread.Yield));
        }

        await disposing;
    }
}
