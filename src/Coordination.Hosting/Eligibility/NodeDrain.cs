using Coordination.Hosting.Eligibility;
using Coordination.Hosting.Telemetry;

namespace Coordination;

/// <summary>
/// Takes a node out of service while its process runs: it leads nothing new, and gives away what it leads. Inject it; that of a node with a name has the name as its key. The configuration
/// does the same, by <see cref="CoordinationOptions.Drain"/>; what was said last counts.
/// </summary>
/// <remarks>
/// <para>Counts for exclusive services, with <see cref="ExclusiveServiceOptions.Instances"/> as well, for partitioned ones, which give away one partition after the other, and for periodic ones, of which no slot begins on a drained node; a run that is under way goes on to its
/// end. Not for locks that are acquired by hand, runs by <see cref="IPeriodicTrigger{TService}"/>, work that is run once at the start, and Quartz jobs.</para>
/// <para>May be used by any thread.</para>
/// </remarks>
public sealed class NodeDrain
{
    /// <summary>How long it waits for one to end before it goes on to the next: as long as who asks a leader to step down.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly List<(LeadSwitch Switch, string LockName)> _led = [];
    private readonly DrainLog _log;
    private readonly TimeProvider _time;
    private TaskCompletionSource _resumed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task? _draining;
    private bool _configured;

    internal NodeDrain(bool isConfigured, DrainLog log, TimeProvider time)
    {
        (_configured, _log, _time) = (isConfigured, log, time);
        if (isConfigured)
        {
            Begin();
        }
    }

    /// <summary>Whether the node leads nothing new: from the beginning of a drain until <see cref="Resume"/>.</summary>
    public bool IsRequested
    {
        get
        {
            lock (_gate)
            {
                return _draining is not null;
            }
        }
    }

    /// <summary>Whether the node leads nothing, because it is drained.</summary>
    /// <value>False while it still gives something away.</value>
    public bool IsDrained
    {
        get
        {
            lock (_gate)
            {
                return _draining is { IsCompletedSuccessfully: true };
            }
        }
    }

    /// <summary>
    /// Has the node leave all queues at once, and give away what it leads, one after the other: the work is told to stop and awaited, the lock released, and then comes the next one, or after a minute, where the work
    /// has not returned by then. Returns when it leads nothing, and no periodic work runs under a lock. The node stays drained until <see cref="Resume"/>.
    /// </summary>
    /// <remarks>
    /// Work that does not return when it is told to keeps its lock, so that the drain does not end before it, and the log names the lock (1255). For work whose lease was lost the drain does not wait: another node may
    /// lead already, and that the work goes on is what the health check tells. A periodic run is not told to stop: for a long one the drain waits as for work that does not return.
    /// </remarks>
    /// <param name="cancellationToken">Ends the wait. The drain goes on.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled, or the node was resumed before it was drained.</exception>
    public Task DrainAsync(CancellationToken cancellationToken = default)
    {
        Task draining;
        lock (_gate)
        {
            draining = Begin();
        }

        return draining.WaitAsync(cancellationToken);
    }

    /// <summary>Has the node contend again. Does nothing when it is not drained. What it had given away it gets back only as any node does.</summary>
    public void Resume()
    {
        lock (_gate)
        {
            if (_draining is null)
            {
                return;
            }

            _draining = null;
            _resumed.SetResult();
            _resumed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _led.ForEach(static led => led.Switch.Resume());
            _log.Resumed();
        }
    }

    /// <summary>Has the drain of the node count for a piece of its work.</summary>
    /// <param name="switch">Whether it may lead.</param>
    /// <param name="lockName">What it is called in the log: by its lock.</param>
    internal void Add(LeadSwitch @switch, string lockName)
    {
        lock (_gate)
        {
            _led.Add((@switch, lockName));
            if (_draining is not null)
            {
                @switch.Drain();
                @switch.GiveAway();
            }
        }
    }

    /// <summary>The configuration was read again. What it says counts where it is not what it said before.</summary>
    internal void Configure(bool drain)
    {
        lock (_gate)
        {
            if (drain == _configured)
            {
                return;
            }

            _configured = drain;
            if (drain)
            {
                Begin();
            }
            else
            {
                Resume();
            }
        }
    }

    private Task Begin()
    {
        if (_draining is not null)
        {
            return _draining;
        }

        List<(LeadSwitch Switch, string LockName)> led = [.. _led];
        led.ForEach(static led => led.Switch.Drain());
        _log.Drains();
        var resumed = _resumed.Task;

        // It may outlive who asks for it, and keeps nothing of that.
        using (ExecutionContext.SuppressFlow())
        {
            _draining = Task.Run(() => GiveAwayAsync(led, resumed), CancellationToken.None);
        }

        return _draining;
    }

    private async Task GiveAwayAsync(List<(LeadSwitch Switch, string LockName)> all, Task resumed)
    {
        var passedOver = new List<Task>();
        foreach (var (@switch, lockName) in all)
        {
            lock (_gate)
            {
                ThrowIfResumed();
                @switch.GiveAway();
            }

            var idle = @switch.IdleAsync();
            do
            {
                await ((Task)Task.WhenAny(idle, resumed)).WaitAsync(Patience, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            while (!idle.IsCompleted && !resumed.IsCompleted && @switch.GivesAwayMore);

            if (!idle.IsCompleted && !resumed.IsCompleted)
            {
                // Work that ignores its token keeps its lock, and not all that comes after it on a node that is to go.
                _log.PassesOver(lockName);
                passedOver.Add(idle);
            }
        }

        await Task.WhenAny(Task.WhenAll(passedOver), resumed).ConfigureAwait(false);
        ThrowIfResumed();
        _log.Drained();

        void ThrowIfResumed()
        {
            if (resumed.IsCompleted)
            {
                throw new OperationCanceledException("The node was resumed before it was drained.");
            }
        }
    }
}
