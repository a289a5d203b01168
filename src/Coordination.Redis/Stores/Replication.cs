using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Coordination.Redis.Scripts;
using StackExchange.Redis;

namespace Coordination.Redis.Stores;

/// <summary>Waits until replicas have what was just written.</summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "A semaphore whose wait handle is never asked for holds nothing to dispose of.")]
internal sealed class Replication(int replicas, TimeSpan timeout)
{
    private readonly SemaphoreSlim _oneAtATime = new(1, 1);

    public bool IsAsked => replicas > 0;

    /// <summary>Waits until enough replicas confirm what was written on this connection before.</summary>
    /// <param name="connection">The connection on which it was written.</param>
    /// <param name="key">A key that was written, which says on which server.</param>
    /// <returns>How many did.</returns>
    /// <exception cref="LockStoreException">Too few confirmed in time (transient).</exception>
    public async Task<int> ConfirmAsync(IConnectionMultiplexer connection, RedisKey key)
    {
        // The server replies to nothing else on the connection meanwhile. One at a time, so that renewals come in between.
        int confirmed;
        await _oneAtATime.WaitAsync().ConfigureAwait(false);
        try
        {
            confirmed = (int)await connection.GetServer(key, flags: RedisScript.OnMaster).ExecuteAsync("WAIT", [replicas, (long)timeout.TotalMilliseconds], RedisScript.OnMaster).ConfigureAwait(false);
        }
        finally
        {
            _oneAtATime.Release();
        }

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
