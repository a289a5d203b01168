using System.Diagnostics;
using Coordination.Redis.Errors;
using Coordination.Redis.Telemetry;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Coordination.Redis.Connections;

/// <summary>
/// Looks for the primary when a server says that it is a replica. A server that was demoted keeps its connections, so the client
/// has no reason to look for another: it is told to configure itself anew, and where that does not help, because the address is
/// the same and leads elsewhere by now, another connection takes the place of the one that stands.
/// </summary>
internal sealed class PrimarySearch(RedisConnection connection, ILogger logger)
{
    /// <summary>How long to try with the connection that stands, and from one new connection to the next.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan MaxPatience = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    private static readonly TimeSpan MaxPause = TimeSpan.FromSeconds(2);

    private int _isUnderWay;

    /// <summary>Begins to look, unless that is under way.</summary>
    /// <param name="write">Writes on the primary, and so fails where there is none.</param>
    public void Begin(Func<IConnectionMultiplexer, Task> write)
    {
        if (Interlocked.Exchange(ref _isUnderWay, 1) == 0)
        {
            _ = Detached.RunAsync(() => SearchAsync(write));
        }
    }

    /// <returns>Whether it is found.</returns>
    private async Task<bool> SearchAsync(Func<IConnectionMultiplexer, Task> write)
    {
        try
        {
            if (connection.Settings is null)
            {
                Log.GivenConnectionHasNoPrimary(logger);
            }
            else
            {
                Log.OnlyReplicaInReach(logger);
            }

            var (start, patience, pause) = (Stopwatch.GetTimestamp(), Patience, Pause);
            while (connection.Established is { } current)
            {
                await ConfigureAsync(current).ConfigureAwait(false);
                if (await WritesAsync(current, write).ConfigureAwait(false))
                {
                    Log.PrimaryFound(logger);
                    return true;
                }

                if (connection.Settings is not null && Stopwatch.GetElapsedTime(start) >= patience)
                {
                    if (await IsReplacedAsync(write).ConfigureAwait(false))
                    {
                        Log.PrimaryFound(logger);
                        return true;
                    }

                    (start, patience) = (Stopwatch.GetTimestamp(), Longer(patience, MaxPatience));
                }

                await Task.Delay(pause, TimeProvider.System, connection.Disposing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                pause = Longer(pause, MaxPause);
            }

            return false;
        }
        finally
        {
            Volatile.Write(ref _isUnderWay, 0);
        }
    }

    /// <summary>Has the client ask its servers again what they are. One that is away does not hold it up.</summary>
    private static async Task ConfigureAsync(IConnectionMultiplexer connection)
    {
        try
        {
            await connection.ConfigureAsync().WaitAsync(Patience).ConfigureAwait(false);
        }
        catch (Exception away) when (IsOfTheConnection(away))
        {
            // Whether it helped all the same, a write shows.
        }
    }

    /// <summary>Makes a connection, and uses it when it leads to a primary.</summary>
    private async Task<bool> IsReplacedAsync(Func<IConnectionMultiplexer, Task> write)
    {
        IConnectionMultiplexer made;
        try
        {
            made = await connection.MakeAsync().ConfigureAwait(false);
        }
        catch (Exception away) when (IsOfTheConnection(away))
        {
            return false;
        }

        if (await WritesAsync(made, write).ConfigureAwait(false) && connection.TryReplace(made))
        {
            return true;
        }

        await made.DisposeAsync().ConfigureAwait(false);
        return false;
    }

    private static async Task<bool> WritesAsync(IConnectionMultiplexer connection, Func<IConnectionMultiplexer, Task> write)
    {
        try
        {
            await write(connection).ConfigureAwait(false);
            return true;
        }
        catch (RedisServerException refused)
        {
            // What a primary refuses is for those to say who asked for it.
            return !RedisErrorClassifier.IsOfReplica(refused);
        }
        catch (Exception away) when (IsOfTheConnection(away))
        {
            return false;
        }
    }

    private static TimeSpan Longer(TimeSpan time, TimeSpan most) => 2 * time < most ? 2 * time : most;

    private static bool IsOfTheConnection(Exception exception) =>
        exception is RedisException or RedisCommandException or TimeoutException or ObjectDisposedException or OperationCanceledException;
}
