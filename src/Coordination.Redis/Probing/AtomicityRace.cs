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

    /// <summary>How often a script of the first round dallies. One of the next dallies twice as often, and so on.</summary>
    private const int Dallying = 50;

    /// <summary>
    /// How often the dallying doubles: what a connection sends in such a round keeps a thread of the server for longer than a busy machine lets it run. Scripts that may
    /// overlap do so then, also where few threads run at a time.
    /// </summary>
    private const int Doublings = 5;
    private const int LeastRounds = Doublings + 3;
    private static readonly TimeSpan Limit = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan CounterLifetime = TimeSpan.FromMinutes(1);

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
        // By a clock that nobody can stop, and with a bound all the same. A slow machine runs the rounds that tell most as well, whatever the time.
        var start = Stopwatch.GetTimestamp();
        for (var round = 1; round <= MaxRounds && (round <= LeastRounds || Stopwatch.GetElapsedTime(start) < Limit); round++)
        {
            var dallying = Dallying << Math.Min(round - 1, Doublings);
            await Task.WhenAll(databases.SelectMany(racer => Enumerable.Range(0, ScriptsInRound).Select(_ => CountAsync(racer, dallying)))).ConfigureAwait(false);
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

    private Task<RedisResult> CountAsync(IDatabase racer, int dallying) =>
        RedisScript.Race.RunAsync(racer, [counter], [(long)CounterLifetime.TotalMilliseconds, dallying], ConfigureAwaitOptions.None, CancellationToken.None);
}
