using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using Coordination.Redis.Scripts;
using StackExchange.Redis;

namespace Coordination.Redis.Stores;

/// <summary>Waits until replicas have what was just written.</summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "A semaphore whose wait handle is never asked for holds nothing to dispose of.")]
internal sealed class Replication(int replicas, TimeSpan timeout)
{
    private readonly SemaphoreSlim _oneAtATime = new(1, 1);

    public bool IsAsked => replicas > 0;

    /// <summary>Over which connection a key is written and confirmed. To be taken before the write.</summary>
    public static Line LineTo(IConnectionMultiplexer connection, RedisKey key)
    {
        var server = connection.GetServer(key, flags: RedisScript.OnPrimary);
        return new Line(connection, server.EndPoint, server.GetCounters().Interactive.SocketCount);
    }

    /// <summary>
    /// Waits until enough replicas confirm what was written on this connection before. A server counts the writes of each connection: over one
    /// that was made since, it would confirm at once what it knows nothing of.
    /// </summary>
    /// <param name="connection">The connection on which it was written.</param>
    /// <param name="key">A key that was written, which says on which server.</param>
    /// <param name="written">What <see cref="LineTo"/> was before it was written.</param>
    /// <param name="cancellationToken">Ends the wait for those before it. Nothing is asked then.</param>
    /// <returns>How many did.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="LockStoreException">Too few confirmed in time, or it is not known how many (transient).</exception>
    public async Task<int> ConfirmAsync(IConnectionMultiplexer connection, RedisKey key, Line written, CancellationToken cancellationToken)
    {
        // The server replies to nothing else on the connection meanwhile. One at a time, so that renewals come in between.
        int confirmed;
        await _oneAtATime.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            confirmed = (int)await connection.GetServer(key, flags: RedisScript.OnPrimary)
                .ExecuteAsync("WAIT", [replicas, (long)timeout.TotalMilliseconds], RedisScript.OnPrimary).ConfigureAwait(false);
        }
        finally
        {
            _oneAtATime.Release();
        }

        if (LineTo(connection, key) != written)
        {
            throw new LockStoreException("The connection to Redis was replaced before replicas confirmed the grant, so nobody knows whether they have it.", isTransient: true);
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

    /// <summary>One socket to one server. A socket that ended is counted still, so the number of those that there were tells them apart.</summary>
    public readonly record struct Line(IConnectionMultiplexer Connection, EndPoint Server, long Sockets);
}
