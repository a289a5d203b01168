using System.Collections.Concurrent;

namespace Coordination.Hosting.Tests.Nodes;

/// <summary>A service that prepares a <see cref="Cache"/> as its node's <see cref="Caches"/> says, and then does what its <see cref="Work"/> says.</summary>
internal sealed class PreparingService(Work work, Caches caches) : ExclusiveBackgroundService<Cache>
{
    public const string LockName = "Coordination.Hosting.Tests/Coordination.Hosting.Tests.Nodes.PreparingService";

    protected override async Task<Cache> PrepareAsync(CancellationToken cancellationToken)
    {
        var number = caches.Begin();
        await caches.Load(number, cancellationToken);
        var cache = new Cache(number);
        caches.Loaded.Enqueue(cache);
        return cache;
    }

    protected override Task ExecuteExclusiveAsync(ExclusiveTerm term, Cache prepared, CancellationToken stoppingToken)
    {
        caches.Given.Enqueue(prepared);
        Assert.False(prepared.IsDisposed);
        return work.RunAsync(term, stoppingToken);
    }
}

/// <summary>What a node prepared.</summary>
internal sealed class Caches
{
    private volatile int _begun;

    /// <summary>How long it takes, or how it fails, by its number.</summary>
    public Func<int, CancellationToken, Task> Load { get; set; } = static (_, _) => Task.CompletedTask;

    /// <summary>How many were begun.</summary>
    public int Begun => _begun;

    public ConcurrentQueue<Cache> Loaded { get; } = [];

    /// <summary>Those that a term was given.</summary>
    public ConcurrentQueue<Cache> Given { get; } = [];

    public int Begin() => Interlocked.Increment(ref _begun);
}

internal sealed class Cache(int number) : IAsyncDisposable
{
    private volatile int _disposals;

    public int Number => number;

    public bool IsDisposed => _disposals > 0;

    public int Disposals => _disposals;

    public ValueTask DisposeAsync()
    {
        Interlocked.Increment(ref _disposals);
        return ValueTask.CompletedTask;
    }
}
