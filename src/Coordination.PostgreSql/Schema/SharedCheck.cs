namespace Coordination.PostgreSql.Schema;

/// <summary>What is found out once for all who need it: callers that come meanwhile share it, its success is kept, and after a failure the next caller tries again.</summary>
internal sealed class SharedCheck(Func<Task> check)
{
    private readonly Lock _gate = new();
    private Task? _current;

    /// <summary>Takes part. Cancelling a caller's token ends that caller's wait alone.</summary>
    public Task GetAsync(CancellationToken cancellationToken)
    {
        Task current;
        lock (_gate)
        {
            if (_current is null or { IsFaulted: true } or { IsCanceled: true })
            {
                _current = Begin();
            }

            current = _current;
        }

        return current.IsCompletedSuccessfully ? current : current.WaitAsync(cancellationToken);
    }

    /// <summary>With nothing of the caller's ambient, which the connections that are made then would keep.</summary>
    private Task Begin()
    {
        if (ExecutionContext.IsFlowSuppressed())
        {
            return Task.Run(check);
        }

        using (ExecutionContext.SuppressFlow())
        {
            return Task.Run(check);
        }
    }
}
