using System.Globalization;
using StackExchange.Redis;

namespace Coordination.Redis.Stores;

/// <summary>Waits until replicas have what was just written.</summary>
internal sealed class Replication(int replicas, TimeSpan timeout)
{
    public bool IsAsked => replicas > 0;

    /// <summary>Waits until enough replicas confirm what was written on this connection before.</summary>
    /// <param name="connection">The connection on which it was written.</param>
    /// <param name="key">A key that was written, which says on which server.</param>
    /// <returns>How many did.</returns>
    /// <exception cref="LockStoreException">Too few confirmed in time (transient).</exception>
    public async Task<int> ConfirmAsync(IConnectionMultiplexer connection, RedisKey key)
    {
        var server = connection.GetServer(key);
        var confirmed = (int)await server.ExecuteAsync("WAIT", replicas, (long)timeout.TotalMilliseconds).ConfigureAwait(false);
        if (confirmed < replicas)
        {
            throw new LockStoreException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The grant was confirmed by {confirmed} of {replicas} replicas within {timeout.TotalMilliseconds:F0} ms. Look after the replicas, or lower {RedisStoreOptions.SectionName}:ReplicasToWaitFor."),
                isTransient: true);
        }

        return confirmed;
    }
}
