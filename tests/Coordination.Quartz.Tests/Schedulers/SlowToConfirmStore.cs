using Coordination.Stores;
using Coordination.TestKit.Stores;

namespace Coordination.Quartz.Tests.Schedulers;

/// <summary>The store of a node that, with the lock in hand, is slow to ask for its fire.</summary>
internal sealed class SlowToConfirmStore(ILockStore inner) : DelegatingLockStore(inner)
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _letGo = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _asked;

    /// <summary>Completes when the node has the lock and is about to ask.</summary>
    public Task Reached => _reached.Task;

    public void LetGo() => _letGo.TrySetResult();

    public override async Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken)
    {
        // The first request for a fire is the one that found the lock held.
        if (request.Occurrence is not null && Interlocked.Increment(ref _asked) > 1)
        {
            _reached.TrySetResult();
            await _letGo.Task.WaitAsync(cancellationToken);
        }

        return await base.AcquireAsync(request, cancellationToken);
    }
}
