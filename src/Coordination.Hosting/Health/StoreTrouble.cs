using Coordination.Hosting.Stores;
using Coordination.Stores;
using Coordination.Telemetry;

namespace Coordination.Hosting.Health;

/// <summary>What keeps this node from acquiring locks.</summary>
internal sealed class StoreTrouble(ILockStore store, ILockStoreAdministration administration, StoreCondition condition, TimeProvider time, TimeSpan timeLimit)
{
    public string Store => store.Name;

    /// <summary>Looks at what the node's own calls met, which says more than a ping: a store that replies to one may grant no lock all the same. Where there were none, the store is asked.</summary>
    /// <returns>Null for nothing.</returns>
    public async Task<string?> FindAsync(CancellationToken cancellationToken) =>
        condition.Trouble ?? (condition.IsKnown ? null : await AskAsync(cancellationToken).ConfigureAwait(false));

    private async Task<string?> AskAsync(CancellationToken cancellationToken)
    {
        try
        {
            await StoreTimeLimit.ApplyAsync(timeLimit, administration.PingAsync, time, cancellationToken).ConfigureAwait(false);
            return null;
        }
        catch (LockStoreException exception)
        {
            // Its message holds no secret; what the backend's own exception inside it holds, nobody knows.
            return $"The store '{store.Name}' cannot be used for now: {exception.Message}";
        }
        catch (NotSupportedException)
        {
            // A store that nobody can ask whether it is there: whether it is, its locks show.
            return null;
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            // A store that throws what it should not. Its message is not known to be free of secrets.
            return $"The store '{store.Name}' failed with {exception.GetType().Name}.";
        }
    }
}
