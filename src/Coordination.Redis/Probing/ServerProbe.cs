using System.Globalization;
using Coordination.Redis.Connections;
using Coordination.Redis.Errors;
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
internal sealed class ServerProbe(RedisStoreOptions options, TimeProvider time, ILogger logger)
{
    private const int Racers = 4;
    private const int ScriptsInRound = 10;
    private static readonly TimeSpan RaceLimit = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(10);

    /// <returns>True.</returns>
    /// <exception cref="LockStoreException">The server cannot keep locks (final), or went away meanwhile (transient).</exception>
    /// <exception cref="RedisException">The server is away, or refused.</exception>
    public async Task<bool> ExamineAsync(RedisConnection connection)
    {
        var start = time.GetTimestamp();
        var multiplexer = await connection.GetAsync(ConfigureAwaitOptions.None, CancellationToken.None).ConfigureAwait(false);
        // A server that is away, or refuses the password or Lua, says so here.
        var identity = await IdentifyAsync(multiplexer.GetDatabase(options.Database ?? -1)).ConfigureAwait(false);
        if (identity is { IsTooOld: true })
        {
            throw new LockStoreException(
                $"The Redis server is version {identity.Compatibility}, and locks need {ServerIdentity.Oldest} or later. Upgrade the server.");
        }

        await RehearseAsync(multiplexer).ConfigureAwait(false);
        if (identity is null or { IsGarnet: true })
        {
            if (connection.Settings is { } settings)
            {
                await RaceAsync(multiplexer, settings).ConfigureAwait(false);
            }
            else if (identity is { IsGarnet: true })
            {
                // Scripts on one connection run one after another anyway, and a second connection needs the password.
                Log.AtomicityUnknown(logger, identity.Version);
            }
        }

        Log.ServerIsFit(logger, identity?.Brand ?? "unknown", identity?.Version ?? "unknown", (long)time.GetElapsedTime(start).TotalMilliseconds);
        return true;
    }

    /// <returns>What the server says of itself; null when it may not be asked.</returns>
    private static async Task<ServerIdentity?> IdentifyAsync(IDatabase database)
    {
        try
        {
            var info = await RedisScript.Identity
                .RunAsync(database, [], [], ConfigureAwaitOptions.None, CancellationToken.None).ConfigureAwait(false);
            return ServerIdentity.Parse((string?)info ?? string.Empty);
        }
        catch (RedisServerException refused) when (RedisErrorClassifier.IsMissingRight(refused))
        {
            // INFO is no right that locks need. If it was another one, the rehearsal finds that out.
            return null;
        }
    }

    /// <summary>
    /// Plays the life of a lock through, with a handover, on a lock of a random name: a right that is missing, or Lua that is
    /// switched off, shows here and not in the first night.
    /// </summary>
    private async Task RehearseAsync(IConnectionMultiplexer multiplexer)
    {
        var store = new RedisLockStore(new RedisConnection(multiplexer, logger), options, probe: null);
        var node = "probe-" + Guid.NewGuid().ToString("N");
        var lockName = node;
        var (holder, waiter) = (new LockOwner(node, 1), new LockOwner(node, 2));

        var subscription = await store.SubscribeAsync(node, static _ => { }, CancellationToken.None).ConfigureAwait(false);
        await using (subscription.ConfigureAwait(false))
        {
            var acquire = new AcquireRequest { LockName = lockName, Owner = holder, Entry = 1, LeaseDuration = Lease, ClaimWindow = Lease };
            var release = new ReleaseRequest { LockName = lockName, Owner = holder, Entry = 1, ClaimWindow = Lease };
            var renew = new RenewalRequest { LockName = lockName, Owner = waiter, LeaseDuration = Lease };
            await store.AcquireAsync(acquire, CancellationToken.None).ConfigureAwait(false);
            await store.AcquireAsync(acquire with { Owner = waiter, Wait = true }, CancellationToken.None).ConfigureAwait(false);
            await store.ReleaseAsync(release, CancellationToken.None).ConfigureAwait(false);
            await store.RenewAsync([renew], CancellationToken.None).ConfigureAwait(false);
            await store.GetHolderAsync(lockName, CancellationToken.None).ConfigureAwait(false);
            await store.PingAsync(CancellationToken.None).ConfigureAwait(false);
            await store.ReleaseAsync(release with { Owner = waiter }, CancellationToken.None).ConfigureAwait(false);
        }

        // All that is left of it; else it would lapse in a day.
        await DeleteAsync(multiplexer.GetDatabase(options.Database ?? -1), new LockKeys(options.KeyPrefix).Token(lockName)).ConfigureAwait(false);
    }

    /// <summary>Really races scripts against each other, over connections of their own, and counts what is lost.</summary>
    private async Task RaceAsync(IConnectionMultiplexer multiplexer, ConfigurationOptions settings)
    {
        var counter = new LockKeys(options.KeyPrefix).Token("probe-" + Guid.NewGuid().ToString("N"));
        var others = new List<ConnectionMultiplexer>();
        try
        {
            while (others.Count < Racers - 1)
            {
                others.Add(await ConnectionMultiplexer.ConnectAsync(settings.Clone()).ConfigureAwait(false));
            }

            var databases = others.Prepend(multiplexer).Select(racer => racer.GetDatabase(options.Database ?? -1)).ToArray();
            var start = time.GetTimestamp();
            long run = 0;
            do
            {
                await Task.WhenAll(databases.SelectMany(database => Enumerable.Range(0, ScriptsInRound).Select(_ => CountAsync(database, counter)))).ConfigureAwait(false);
                run += Racers * ScriptsInRound;
                var counted = (long)await databases[0].StringGetAsync(counter, RedisScript.OnMaster).ConfigureAwait(false);
                if (counted != run)
                {
                    throw new LockStoreException(string.Create(
                        CultureInfo.InvariantCulture,
                        $"The server's scripts are not atomic ({counted} of {run} counts arrived), so a lock could have two holders. Start Garnet with --lua --lua-transaction-mode."));
                }
            }
            while (time.GetElapsedTime(start) < RaceLimit);

            await DeleteAsync(databases[0], counter).ConfigureAwait(false);
        }
        finally
        {
            foreach (var other in others)
            {
                await other.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    /// <summary>By DEL, to which locks need the right anyway, and not by UNLINK.</summary>
    private static Task<RedisResult> DeleteAsync(IDatabase database, RedisKey key) => database.ExecuteAsync("DEL", [key], RedisScript.OnMaster);

    private static Task<RedisResult> CountAsync(IDatabase database, RedisKey counter) =>
        RedisScript.Race.RunAsync(database, [counter], [(long)Lease.TotalMilliseconds], ConfigureAwaitOptions.None, CancellationToken.None);
}
