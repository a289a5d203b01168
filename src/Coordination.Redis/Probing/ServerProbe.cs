using System.Diagnostics;
using Coordination.Redis.Connections;
using Coordination.Redis.Scripts;
using Coordination.Redis.Stores;
using Coordination.Redis.Telemetry;
using Coordination.Stores;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Coordination.Redis.Probing;

/// <summary>
/// Finds out whether a server can keep locks, before it is trusted with one: its version, whether the user has all rights, and
/// whether scripts are atomic, which on Garnet depends on a flag that cannot be read.
/// </summary>
/// <remarks>What is nice to know and the server does not say, is said in a line. What locks need, it is asked by playing through the life of one.</remarks>
internal sealed class ServerProbe(RedisStoreOptions options, ILogger logger)
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(10);

    private int Database => options.Database ?? -1;

    private LockKeys Keys { get; } = new(options.KeyPrefix);

    /// <returns>True.</returns>
    /// <exception cref="LockStoreException">The server cannot keep locks (final), or went away meanwhile (transient).</exception>
    /// <exception cref="RedisException">The server is away, or refused.</exception>
    public async Task<bool> ExamineAsync(RedisConnection connection)
    {
        var start = Stopwatch.GetTimestamp();
        var multiplexer = await connection.GetAsync(ConfigureAwaitOptions.None, CancellationToken.None).ConfigureAwait(false);
        var (identity, silence) = await IdentifyAsync(multiplexer.GetDatabase(Database)).ConfigureAwait(false);
        if (identity is { IsTooOld: true })
        {
            throw new LockStoreException(
                $"The Redis server is version {identity.Compatibility}, and locks need {ServerIdentity.Oldest} or later. Upgrade the server.");
        }

        // A server that is away, or refuses the password or Lua, says so here.
        await RehearseAsync(connection, multiplexer).ConfigureAwait(false);
        if (identity is null)
        {
            Log.ServerIsUnknown(logger, silence);
        }

        if (identity is { WritesWithoutItsReplicas: true })
        {
            Log.WritesWithoutReplicas(logger);
        }

        await new LayoutCheck(Keys, Database, logger).RunAsync(multiplexer).ConfigureAwait(false);
        await CheckAtomicityAsync(connection, multiplexer, identity).ConfigureAwait(false);
        var mayLoseLocks = await new RetentionCheck(connection, multiplexer, logger).RunAsync(identity).ConfigureAwait(false);
        Log.ServerIsFit(
            logger,
            mayLoseLocks ? ", as long as it does not lose them" : string.Empty,
            identity?.Brand ?? "unknown",
            identity?.Version ?? "unknown",
            (long)Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        return true;
    }

    private async Task CheckAtomicityAsync(RedisConnection connection, IConnectionMultiplexer multiplexer, ServerIdentity? identity)
    {
        if (identity is { IsGarnet: false })
        {
            return;
        }

        if (connection.Settings is { } settings)
        {
            if (await RaceAsync(multiplexer, settings).ConfigureAwait(false) is { } refusal)
            {
                Log.RaceRefused(logger, refusal);
            }
        }
        else if (identity is not null)
        {
            // Scripts on one connection run one after another anyway, and a second connection needs the password.
            Log.AtomicityUnknown(logger, identity.Version);
        }
    }

    /// <returns>What the server says of itself, or null and why it says nothing.</returns>
    private async Task<(ServerIdentity? Identity, string Silence)> IdentifyAsync(IDatabase database)
    {
        try
        {
            var info = await RedisScript.Identity
                .RunAsync(database, [Keys.Nothing], [], ConfigureAwaitOptions.None, CancellationToken.None).ConfigureAwait(false);
            return (ServerIdentity.Parse((string?)info ?? string.Empty), string.Empty);
        }
        catch (RedisServerException refused)
        {
            // INFO may be renamed or forbidden, and is nothing that locks need. If it was something else, the rehearsal finds that out.
            return (null, refused.Message);
        }
    }

    /// <summary>
    /// Plays the life of a lock through, with an occurrence and a handover, on a lock of a random name: a right that is missing, or Lua that is
    /// switched off, shows here and not in the first night.
    /// </summary>
    private async Task RehearseAsync(RedisConnection connection, IConnectionMultiplexer multiplexer)
    {
        var store = new RedisLockStore(connection, options, examine: null, logger);
        var node = "probe-" + Guid.NewGuid().ToString("N");
        var lockName = node;
        var (holder, waiter) = (new LockOwner(node, 1), new LockOwner(node, 2));

        var subscription = await store.SubscribeAsync(node, static _ => { }, CancellationToken.None).ConfigureAwait(false);
        await using (subscription.ConfigureAwait(false))
        {
            var once = new Occurrence { Series = "probe", Time = DateTimeOffset.UnixEpoch, Run = node, RememberFor = Lease };
            var acquire = new AcquireRequest { LockName = lockName, Owner = holder, Entry = 1, LeaseDuration = Lease, ClaimWindow = Lease };
            var release = new ReleaseRequest { LockName = lockName, Owner = holder, Entry = 1, ClaimWindow = Lease };
            var renew = new RenewalRequest { LockName = lockName, Owner = waiter, LeaseDuration = Lease };
            await store.AcquireAsync(acquire with { Occurrence = once }, CancellationToken.None).ConfigureAwait(false);
            await store.AcquireAsync(acquire with { Owner = waiter, Wait = true }, CancellationToken.None).ConfigureAwait(false);
            await store.ReleaseAsync(release with { Occurrence = once }, CancellationToken.None).ConfigureAwait(false);
            await store.RenewAsync([renew], CancellationToken.None).ConfigureAwait(false);
            await store.GetHolderAsync(lockName, CancellationToken.None).ConfigureAwait(false);
            await store.PingAsync(CancellationToken.None).ConfigureAwait(false);
            await store.ReleaseAsync(release with { Owner = waiter }, CancellationToken.None).ConfigureAwait(false);
        }

        // All that is left of it; else it would lapse in two days.
        await DeleteAsync(multiplexer.GetDatabase(Database), Keys.Occurrence(lockName, "probe")).ConfigureAwait(false);
        await DeleteAsync(multiplexer.GetDatabase(Database), Keys.Lock(lockName)).ConfigureAwait(false);
    }

    /// <returns>Why the race could not be run; null when it was.</returns>
    /// <exception cref="LockStoreException">The scripts are not atomic.</exception>
    private async Task<string?> RaceAsync(IConnectionMultiplexer multiplexer, ConfigurationOptions settings)
    {
        var counter = Keys.Lock("probe-" + Guid.NewGuid().ToString("N"));
        try
        {
            await new AtomicityRace(Database, counter).RunAsync(multiplexer, settings).ConfigureAwait(false);
            await DeleteAsync(multiplexer.GetDatabase(Database), counter).ConfigureAwait(false);
            return null;
        }
        catch (RedisServerException refused)
        {
            // The rehearsal went through: it is nothing that locks need.
            return refused.Message;
        }
    }

    /// <summary>By DEL, to which locks need the right anyway, and not by UNLINK.</summary>
    private static Task<RedisResult> DeleteAsync(IDatabase database, RedisKey key) => database.ExecuteAsync("DEL", [key], RedisScript.OnPrimary);
}
