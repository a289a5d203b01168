namespace Coordination.Hosting.Execution;

/// <summary>What periodic work, or work that is run once, does on this node at one moment: written by who runs it, read by health checks.</summary>
internal sealed class WorkStatus
{
    private readonly Lock _gate = new();
    private readonly List<Run> _runs = [];
    private WorkPhase _betweenRuns;

    public WorkPhase Phase
    {
        get
        {
            lock (_gate)
            {
                return _runs.Count == 0 ? _betweenRuns : _runs.Max(static run => run.Phase);
            }
        }
    }

    /// <summary>What it does while no run is under way.</summary>
    public void Enter(WorkPhase phase)
    {
        lock (_gate)
        {
            _betweenRuns = phase;
        }
    }

    /// <summary>A run begins, and ends with what is returned.</summary>
    public Run Begin()
    {
        var run = new Run(this);
        lock (_gate)
        {
            _runs.Add(run);
        }

        return run;
    }

    internal sealed class Run(WorkStatus status) : IDisposable
    {
        public WorkPhase Phase { get; private set; } = WorkPhase.Running;

        public void Enter(WorkPhase phase)
        {
            lock (status._gate)
            {
                Phase = phase;
            }
        }

        public void Dispose()
        {
            lock (status._gate)
            {
                status._runs.Remove(this);
            }
        }
    }
}
