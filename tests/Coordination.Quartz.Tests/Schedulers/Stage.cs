namespace Coordination.Quartz.Tests.Schedulers;

/// <summary>Tells the jobs of a node what to do.</summary>
internal sealed class Stage
{
    private readonly TaskCompletionSource _letGo = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _calls;

    /// <summary>What the next calls do, by their number from one; nothing by default.</summary>
    public Func<int, CancellationToken, Task>? Act { get; set; }

    public int Calls => Volatile.Read(ref _calls);

    public void LetGo() => _letGo.TrySetResult();

    /// <summary>Waits until the test lets go, or the job is told to stop.</summary>
    public Task HoldAsync(CancellationToken cancellationToken) => _letGo.Task.WaitAsync(cancellationToken);

    /// <summary>Waits until the test lets go, whatever the job is told.</summary>
    public Task HoldOutAsync() => _letGo.Task;

    public Task PlayAsync(CancellationToken cancellationToken)
    {
        var call = Interlocked.Increment(ref _calls);
        return Act?.Invoke(call, cancellationToken) ?? Task.CompletedTask;
    }
}
