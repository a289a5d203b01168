using Coordination.Stores;
using Coordination.TestKit.Stores;

namespace Coordination.Quartz.Tests.Schedulers;

/// <summary>The store of a node whose calls the test stops, or lets fail, where it says.</summary>
internal sealed class SteeredStore(ILockStore inner) : DelegatingLockStore(inner)
{
    private int _occurrences;

    /// <summary>Comes before each request for a lock.</summary>
    public Func<Task>? BeforeAcquire { get; set; }

    /// <summary>Comes before each look at a lock.</summary>
    public Func<Task>? BeforeLook { get; set; }

    /// <summary>Comes before each request for an occurrence, with its number from one.</summary>
    public Func<int, Task>? BeforeOccurrence { get; set; }

    /// <summary>Is told of each occurrence that is asked for.</summary>
    public Action<Occurrence>? OnOccurrence { get; set; }

    public override async Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken)
    {
        if (request.Occurrence is { } occurrence)
        {
            OnOccurrence?.Invoke(occurrence);
        }

        if (request.Occurrence is not null && BeforeOccurrence is { } before)
        {
            await before(Interlocked.Increment(ref _occurrences)).WaitAsync(cancellationToken);
        }

        if (BeforeAcquire is { } beforeAny)
        {
            await beforeAny().WaitAsync(cancellationToken);
        }

        return await base.AcquireAsync(request, cancellationToken);
    }

    public override async Task<LockHolder?> GetHolderAsync(string lockName, CancellationToken cancellationToken)
    {
        if (BeforeLook is { } before)
        {
            await before().WaitAsync(cancellationToken);
        }

        return await base.GetHolderAsync(lockName, cancellationToken);
    }

    public override async Task<LockInspection> InspectAsync(string lockName, int maxWaiters, CancellationToken cancellationToken)
    {
        if (BeforeLook is { } before)
        {
            await before().WaitAsync(cancellationToken);
        }

        return await base.InspectAsync(lockName, maxWaiters, cancellationToken);
    }
}
