namespace WorkerReplicas.Orchestration;

/// <summary>A rolling update that was carried out.</summary>
/// <param name="Replicas">How many were replaced.</param>
/// <param name="BeganAt">Before the first new one was started.</param>
internal sealed record CompletedUpdate(int Replicas, TimeSpan BeganAt);
