using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Hosting.Runners;

/// <summary>
/// The runners of a container. The first thing of theirs that is disposed ends them all, so that all work has been told, and has returned or used up its
/// time, before anything is disposed that it uses.
/// </summary>
internal sealed class ExclusiveServiceRunners(IServiceProvider services)
{
    private readonly Lock _gate = new();
    private readonly List<ExclusiveServiceRunner> _all = [];
    private Task? _end;
    private int _isGuarded;

    public void Add(ExclusiveServiceRunner runner)
    {
        lock (_gate)
        {
            _all.Add(runner);
        }
    }

    /// <summary>
    /// Has the container make something that it disposes before all that it has made by now: what was made after the runners, and may be used by their
    /// work, would be disposed before them else.
    /// </summary>
    /// <returns>False when the container is disposed already.</returns>
    public bool TryGuard()
    {
        try
        {
            if (Interlocked.Exchange(ref _isGuarded, 1) == 0)
            {
                services.GetRequiredService<DisposalGuard>();
            }

            return true;
        }
        catch (ObjectDisposedException)
        {
            // Nothing is to begin any more.
            return false;
        }
    }

    /// <summary>Tells all work to stop and waits for it, bounded. The same end for all who ask.</summary>
    public Task EndAsync()
    {
        lock (_gate)
        {
            return _end ??= Task.WhenAll(_all.Select(static runner => runner.EndAsync()));
        }
    }

    /// <summary>As <see cref="EndAsync"/>, for a container that is disposed synchronously: what it disposes next is used by work that runs still.</summary>
    /// <remarks>
    /// <see cref="IDisposable"/> leaves no way but to block this thread. That is bounded: each runner waits for its lease duration, and 30 s at most. Nothing in
    /// there goes on in the context of the caller, so it does not wait for itself.
    /// </remarks>
    public void End() => EndAsync().GetAwaiter().GetResult();
}
