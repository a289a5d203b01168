namespace WorkerReplicas.Replica;

/// <summary>Tells the work that somebody wants another replica to lead. Of no effect while this one does not.</summary>
internal sealed class StepDownRequest
{
    public event Action? Made;

    public void Make() => Made?.Invoke();
}
