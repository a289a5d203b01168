using Coordination.Redis.Connections;
using Coordination.Redis.Scripts;
using Coordination.Redis.Telemetry;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Coordination.Redis.Probing;

/// <summary>
/// Finds out whether a server may lose locks that are held, and says so: by evicting their keys when its memory is full, or by a restart. Such a lock is granted to
/// another, and its holder hears of it by its next renewal.
/// </summary>
internal sealed class RetentionCheck(RedisConnection connection, IConnectionMultiplexer multiplexer, ILogger logger)
{
    private const string Cure =
        "set appendonly yes, with appendfsync always, which loses none that was confirmed, or everysec, which at a crash of the machine loses those of the last second; "
        + "or start a server that crashed no sooner than the longest lease later";

    private static readonly object[] SavePoints = ["GET", "save"];

    /// <param name="identity">What the server says of itself; null where it says nothing.</param>
    /// <returns>Whether it may.</returns>
    public async Task<bool> RunAsync(ServerIdentity? identity)
    {
        var risks = new List<string>();
        var unknown = new List<string>();
        CheckEviction(identity, risks, unknown);
        await CheckRestartAsync(identity, risks, unknown).ConfigureAwait(false);
        if (risks.Count > 0)
        {
            Log.MayLoseLocks(logger, string.Join("; ", risks));
        }

        if (unknown.Count > 0)
        {
            Log.RetentionIsUnknown(logger, string.Join("; ", unknown));
        }

        return risks.Count > 0;
    }

    private static void CheckEviction(ServerIdentity? identity, List<string> risks, List<string> unknown)
    {
        if (identity is not { EvictionPolicy: { } policy, MaxMemory: { } maxMemory })
        {
            unknown.Add("whether it evicts keys when its memory is full (maxmemory-policy should be noeviction)");
        }
        else if (policy != "noeviction" && maxMemory > 0)
        {
            // Each key of a lock expires, so the policies that evict only such keys spare none.
            risks.Add($"it evicts keys when its memory is full (maxmemory-policy is {policy}, maxmemory {maxMemory} bytes), and those of locks with them; set maxmemory-policy noeviction");
        }
    }

    private async Task CheckRestartAsync(ServerIdentity? identity, List<string> risks, List<string> unknown)
    {
        const string question = "whether it keeps its data over a restart (appendonly should be yes)";
        if (identity?.IsAppendOnly is not { } isAppendOnly)
        {
            unknown.Add(question);
        }
        else if (!isAppendOnly)
        {
            try
            {
                var reply = await AskAsync().ConfigureAwait(false);
                risks.Add(reply.ToDictionary().Values.All(value => string.IsNullOrWhiteSpace((string?)value))
                    ? $"it keeps nothing over a restart (appendonly is no, and there are no save points); {Cure}"
                    : $"at a crash it forgets the locks of the last minutes (appendonly is no, and it saves its data at its save points alone); {Cure}");
            }
            catch (Exception refused) when (refused is RedisServerException or RedisCommandException)
            {
                // Managed servers forbid it, as the client does over a connection that is not for administration. It is no right that locks need.
                unknown.Add($"{question}: {refused.Message}");
            }
        }
    }

    /// <summary>Not by a script, in which the command is refused: over a connection for this one question.</summary>
    private async Task<RedisResult> AskAsync()
    {
        if (connection.Settings is not { } settings)
        {
            return await multiplexer.GetDatabase().ExecuteAsync("CONFIG", SavePoints, RedisScript.OnPrimary).ConfigureAwait(false);
        }

        var ofOperator = settings.Clone();
        ofOperator.AllowAdmin = true;
        var made = await ConnectionMultiplexer.ConnectAsync(ofOperator).ConfigureAwait(false);
        await using (made.ConfigureAwait(false))
        {
            return await made.GetDatabase().ExecuteAsync("CONFIG", SavePoints, RedisScript.OnPrimary).ConfigureAwait(false);
        }
    }
}
