using Coordination.Stores;
using Coordination.Testing;
using Coordination.TestKit.Clocks;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;

namespace Coordination.TestKit.Nodes;

/// <summary>A node on a store that fails on demand, and a clock that moves when the test says so.</summary>
public class ClockedNode : IAsyncDisposable
{
    /// <summary>How long anything may take by a real clock before the test fails.</summary>
    protected static readonly TimeSpan RealTimeLimit = TimeSpan.FromMinutes(1);

    /// <summary>Fine enough to hit every renewal and retry of the default timings, one at a time.</summary>
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(10);

    private static readonly Func<bool> Never = () => false;

    private readonly ServiceProvider _services;
    private int _ended;

    public ClockedNode(TestClock? clock = null, ControllableLockStore? store = null, Action<IServiceCollection>? configure = null, ILockStore? actualStore = null)
    {
        Clock = clock ?? new TestClock();
        Store = store ?? new ControllableLockStore(Clock);
        var services = new ServiceCollection();
        services.AddSingleton<TimeProvider>(Clock);
        services.AddLogging(logging => logging.AddFakeLogging().SetMinimumLevel(LogLevel.Debug));
        services.AddCoordination();
        services.AddSingleton(actualStore ?? Store);
        configure?.Invoke(services);
        _services = services.BuildServiceProvider();
    }

    public TestClock Clock { get; }

    public ControllableLockStore Store { get; }

    public IServiceProvider Services => _services;

    public ILockProvider Provider => _services.GetRequiredService<ILockProvider>();

    /// <summary>What was logged until now: lines are written by another thread.</summary>
    public FakeLogCollector Logs => _services.FlushedLogs;

    public Task<ILockLease> AcquireAsync(string name = "work", LockOptions? options = null) =>
        Provider.GetLock(name, options).AcquireAsync(TestContext.Current.CancellationToken);

    /// <summary>Moves the clock in small steps, and lets the node do at each what is due.</summary>
    public void Advance(TimeSpan time) => AdvanceUntil(Never, time);

    /// <summary>As <see cref="Advance"/>, until a condition holds.</summary>
    /// <returns>Whether it held in that time.</returns>
    public bool AdvanceUntil(Func<bool> condition, TimeSpan atMost)
    {
        // What just began may not sleep on the clock yet, and would not wake in time.
        Breath.Until(() => condition() || Clock.Asleep > 0);
        for (var passed = TimeSpan.Zero; passed < atMost && !condition(); passed += Step)
        {
            var (armed, fired) = (Clock.TimersArmed, Clock.TimersFired);
            Clock.Advance(Step);
            Settle();
            if (Clock.TimersFired - fired is > 0 and var woken)
            {
                // What woke goes on on the pool, and mostly sleeps again. A clock that runs on meanwhile would use up its time.
                Breath.Until(() => condition() || Clock.TimersArmed - armed >= woken);
                PassThroughPool();
            }
        }

        // What the last step set off may go on on the pool for a moment, with the clock standing still.
        return SpinWait.SpinUntil(condition, condition == Never ? TimeSpan.Zero : RealTimeLimit);
    }

    /// <summary>
    /// When this returns, what was put on the pool before has begun: another timer may have been set for what woke, and seconds of this clock pass in
    /// milliseconds while a busy pool gets to it.
    /// </summary>
    private static void PassThroughPool()
    {
        for (var i = 0; i < 2; i++)
        {
            var passed = new TaskCompletionSource();
            ThreadPool.UnsafeQueueUserWorkItem(static passed => passed.SetResult(), passed, preferLocal: false);
            passed.Task.Wait(RealTimeLimit);
        }
    }

    /// <summary>Waits until something sleeps on the clock that did not before: a waiter that has asked, and waits to ask again.</summary>
    public async Task UntilAsleepAsync(Action begin)
    {
        var before = Clock.TimersCreated;
        begin();
        Assert.True(await Task.Run(() => SpinWait.SpinUntil(() => Clock.TimersCreated > before, RealTimeLimit)), "Nothing went to sleep.");
    }

    /// <summary>Waits until who sleeps on the clock by turns, as the watchdog does, sleeps again.</summary>
    public virtual void Settle()
    {
        // Most of what does not sleep again has ended, and is waited for once.
        if (!Breath.Until(() => Clock.Awake <= _ended))
        {
            _ended = Clock.Awake;
        }

        _ended = Math.Min(_ended, Clock.Awake);
    }

    /// <summary>Waits until all logs, metrics and traces of what has happened are written.</summary>
    public void Flush() => _services.FlushTelemetry();

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
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
