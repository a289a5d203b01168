namespace WorkerReplicas.Orchestration;

internal enum IncidentKind
{
    /// <summary>SIGKILL: the process is gone with no chance to say anything.</summary>
    Killed,

    /// <summary>SIGTERM: the process stops in good order.</summary>
    Stopped,

    /// <summary>SIGSTOP for longer than the lease, then SIGCONT: the process knows nothing of it.</summary>
    Paused,

    /// <summary>It is asked to let another lead, and goes on as a standby: no process ends.</summary>
    SteppedDown,

    /// <summary>SIGTERM in the course of a rolling update: a new process takes its place.</summary>
    Replaced,
}
