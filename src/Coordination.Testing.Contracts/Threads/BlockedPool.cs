using Xunit.v3;

namespace Coordination.Testing.Contracts.Threads;

/// <summary>
/// Keeps every thread of the pool busy, and the pool from making more. For tests in a collection that runs with no other beside it. xunit
/// takes what a collection is from the assembly of the test alone, and otherwise runs it beside the others: that would stop them all.
/// </summary>
internal sealed class BlockedPool : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly ManualResetEvent _release = new(initialState: false);
    private readonly int _max;
    private readonly int _maxPorts;
    private readonly int _min;
    private readonly int _minPorts;

    private static int FreeThreads
    {
        get
        {
            ThreadPool.GetAvailableThreads(out var free, out _);
            return free;
        }
    }

    public BlockedPool()
    {
        Assert.True(
            TestContext.Current.TestCollection is ICoreTestCollection { DisableParallelization: true },
            "A test that blocks the pool runs alone. Define its collection in its own assembly: [CollectionDefinition(nameof(Alone), DisableParallelization = true)] public sealed class Alone;");
        ThreadPool.GetMaxThreads(out _max, out _maxPorts);
        ThreadPool.GetMinThreads(out _min, out _minPorts);
        var most = Math.Max(ThreadPool.ThreadCount, _min) + 2;
        Assert.True(ThreadPool.SetMaxThreads(most, _maxPorts));
        // Up to the minimum the pool makes threads at once, so all are blocked before anything else is tried.
        Assert.True(ThreadPool.SetMinThreads(most, _minPorts));
        for (var i = 0; i < 4 * most; i++)
        {
            ThreadPool.UnsafeQueueUserWorkItem(_ => _release.WaitOne(Limit), null);
        }

        // Whoever has a thread: this may be one of them, and so may what another test left behind.
        Assert.True(SpinWait.SpinUntil(() => FreeThreads == 0, Limit), $"{FreeThreads} of {most} threads of the pool are not blocked.");
    }

    public void Dispose()
    {
        _release.Set();
        ThreadPool.SetMinThreads(_min, _minPorts);
        ThreadPool.SetMaxThreads(_max, _maxPorts);
    }
}
