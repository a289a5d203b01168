using System.Diagnostics;
using System.Globalization;
using Coordination.Redis.Scripts;
using StackExchange.Redis;

namespace Coordination.Redis.Probing;

/// <summary>Really races scripts against each other, over connections of their own, and counts what is lost.</summary>
/// <param name="database">The number of the database.</param>
/// <param name="counter">A key that nobody else has.</param>
internal sealed class AtomicityRace(int database, RedisKey counter)
{
    private const int Racers = 4;
    private const int ScriptsInRound = 10;
    private const int MaxRounds = 500;
    private static readonly TimeSpan Limit = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan CounterLifetime = TimeSpan.FromSeconds(10);

    /// <exception cref="LockStoreException">The scripts are not atomic.</exception>
    public async Task RunAsync(IConnectionMultiplexer multiplexer, ConfigurationOptions settings)
    {
        var others = new List<ConnectionMultiplexer>();
        try
        {
            while (others.Count < Racers - 1)
            {
                others.Add(await ConnectionMultiplexer.ConnectAsync(settings.Clone()).ConfigureAwait(false));
            }

            await RaceAsync([.. others.Prepend(multiplexer).Select(racer => racer.GetDatabase(database))]).ConfigureAwait(false);
        }
        finally
        {
            foreach (var other in others)
            {
                await other.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    private async Task RaceAsync(IDatabase[] databases)
    {
        // By a clock that nobody can stop, and with a bound all the same.
        var start = Stopwatch.GetTimestamp();
        for (var round = 1; round <= MaxRounds && Stopwatch.GetElapsedTime(start) < Limit; round++)
        {
            await Task.WhenAll(databases.SelectMany(racer => Enumerable.Range(0, ScriptsInRound).Select(_ => CountAsync(racer)))).ConfigureAwait(false);
            var run = round * Racers * ScriptsInRound;
            var counted = (int)await databases[0].StringGetAsync(counter, RedisScript.OnPrimary).ConfigureAwait(false);
            if (counted != run)
            {
                throw new LockStoreException(string.Create(
                    CultureInfo.InvariantCulture,
                    $"The server's scripts are not atomic ({counted} of {run} counts arrived), so a lock could have two holders. Start Garnet with --lua --lua-transaction-mode."));
            }
        }
    }

    private Task<RedisResult> CountAsync(IDatabase racer) =>
        RedisScript.Race.RunAsync(racer, [counter], [(long)CounterLifetime.TotalMilliseconds], ConfigureAwaitOptions.None, CancellationToken.None);
}
