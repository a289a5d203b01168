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
    private readonly Lock _gate = new();
    private readonly List<LeadSwitch> _switches = [];
    private readonly DrainLog _log;
    private TaskCompletionSource _resumed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task? _draining;
    private bool _configured;

    internal NodeDrain(bool isConfigured, DrainLog log)
    {
        (_configured, _log) = (isConfigured, log);
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
    /// Has the node leave all queues at once, and give away what it leads, one after the other: the work is told to stop and awaited, the lock released, and then comes the next one. Returns when it leads
    /// nothing, and no periodic work runs. The node stays drained until <see cref="Resume"/>.
    /// </summary>
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
            _switches.ForEach(static @switch => @switch.Resume());
            _log.Resumed();
        }
    }

    /// <summary>Has the drain of the node count for a piece of its work.</summary>
    internal void Add(LeadSwitch @switch)
    {
        lock (_gate)
        {
            _switches.Add(@switch);
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

        List<LeadSwitch> switches = [.. _switches];
        switches.ForEach(static @switch => @switch.Drain());
        _log.Drains();
        var resumed = _resumed.Task;

        // It may outlive who asks for it, and keeps nothing of that.
        using (ExecutionContext.SuppressFlow())
        {
            _draining = Task.Run(() => GiveAwayAsync(switches, resumed), CancellationToken.None);
        }

        return _draining;
    }

    private async Task GiveAwayAsync(List<LeadSwitch> switches, Task resumed)
    {
        foreach (var @switch in switches)
        {
            lock (_gate)
            {
                ThrowIfResumed();
                @switch.GiveAway();
            }

            await Task.WhenAny(@switch.IdleAsync(), resumed).ConfigureAwait(false);
        }

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
