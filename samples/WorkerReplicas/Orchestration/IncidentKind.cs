namespace WorkerReplicas.Orchestration;

internal enum IncidentKind
{
    /// <summary>SIGKILL: the process is gone with no chance to say anything.</summary>
    Killed,

    /// <summary>SIGTERM: the process stops in good order.</summary>
    Stopped,

    /// <summary>SIGSTOP for longer than the lease, then SIGCONT: the process knows nothing of it.</summary>
    Paused,
}
