namespace Coordination.Testing;

/// <summary>What a harness sees of the one term that it is for.</summary>
internal sealed class TermObservation
{
    private readonly TaskCompletionSource<ExclusiveTerm> _began = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Began => _began.Task;

    public Task Completion => _ended.Task;

    public ExclusiveTerm Term => _began.Task.IsCompletedSuccessfully ? _began.Task.Result : throw new InvalidOperationException("The term has not begun.");

    /// <returns>False for every term after the first.</returns>
    public bool TryBegin(ExclusiveTerm term) => _began.TrySetResult(term);

    public async Task ObserveAsync(Func<Task> work)
    {
        try
        {
            await work().ConfigureAwait(false);
            _ended.SetResult();
        }
        catch (OperationCanceledException exception)
        {
            _ended.SetCanceled(exception.CancellationToken);
            throw;
        }
        catch (Exception exception)
        {
            // For the test, and for the node, which goes on as in production.
            _ended.SetException(exception);
            throw;
        }
    }
}
