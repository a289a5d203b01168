using Coordination.Stores;

namespace Coordination.Quartz.Execution;

/// <summary>Looks whether the store of a lock is away, while nobody has anything else to ask it. Needs no right that acquiring does not need.</summary>
internal sealed class OutageLook(ILockStoreAdministration store, TimeProvider time)
{
    /// <summary>How long a reply may take.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    /// <returns>Why the store is away; null where it is not, and where nobody can tell: it refuses the look, or has no administration, or the look is cancelled.</returns>
    public async Task<LockStoreException?> FindOutageAsync(string lockName, CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(Limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timer.Token);
        try
        {
            // A store may be slow to end when its token is cancelled.
            await store.GetHolderAsync(lockName, either.Token).WaitAsync(either.Token).ConfigureAwait(false);
            return null;
        }
        catch (LockStoreException e) when (e is { IsTransient: true, IsLockBusy: false })
        {
            return e;
        }
        catch (OperationCanceledException) when (timer.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return new LockStoreException($"The store gave no reply within {Limit.TotalSeconds:0} s.", isTransient: true);
        }
        catch (Exception)
        {
            // Whatever else the look met says nothing of an outage. The next look may.
            return null;
        }
    }
}
