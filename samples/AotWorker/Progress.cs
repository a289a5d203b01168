namespace AotWorker;

/// <summary>Knows when both have had their turn.</summary>
internal sealed class Progress
{
    private readonly TaskCompletionSource<long> _service = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<long> _job = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<long[]> Done => Task.WhenAll(_service.Task, _job.Task);

    public void ServiceRan(long token) => _service.TrySetResult(token);

    public void JobRan(long token) => _job.TrySetResult(token);
}
