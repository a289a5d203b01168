using Coordination.Redis.Scripts;
using Coordination.Redis.Telemetry;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Coordination.Redis.Probing;

/// <summary>
/// Finds out whether a server may lose locks that are held, and says so: by evicting their keys when its memory is full, or by a restart. Such a lock is granted to
/// another, and its holder hears of it by its next renewal.
/// </summary>
internal sealed class RetentionCheck(IDatabase database, ILogger logger)
{
    /// <returns>Whether it may.</returns>
    public async Task<bool> RunAsync(ServerIdentity identity)
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

    private static void CheckEviction(ServerIdentity identity, List<string> risks, List<string> unknown)
    {
        if (identity.EvictionPolicy is not { } policy || identity.MaxMemory is not { } maxMemory)
        {
            unknown.Add("whether it evicts keys when its memory is full (maxmemory-policy should be noeviction)");
        }
        else if (policy != "noeviction" && maxMemory > 0)
        {
            // Each key of a lock expires, so the policies that evict only such keys spare none.
            risks.Add($"it evicts keys when its memory is full (maxmemory-policy is {policy}, maxmemory {maxMemory} bytes), and those of locks with them; set maxmemory-policy noeviction");
        }
    }

    private async Task CheckRestartAsync(ServerIdentity identity, List<string> risks, List<string> unknown)
    {
        const string question = "whether it keeps its data over a restart (appendonly should be yes)";
        if (identity.IsAppendOnly is not { } isAppendOnly)
        {
            unknown.Add(question);
        }
        else if (!isAppendOnly)
        {
            try
            {
                // Not by a script: there this command is refused.
                var reply = await database.ExecuteAsync("CONFIG", ["GET", "save"], RedisScript.OnPrimary).ConfigureAwait(false);
                if (reply.ToDictionary().Values.All(value => string.IsNullOrWhiteSpace((string?)value)))
                {
                    risks.Add("it keeps nothing over a restart (appendonly is no, and there are no save points); set appendonly yes");
                }
            }
            catch (RedisServerException refused)
            {
                // Managed servers forbid it, and it is no right that locks need.
                unknown.Add($"{question}; it replied: {refused.Message}");
            }
        }
    }
}
