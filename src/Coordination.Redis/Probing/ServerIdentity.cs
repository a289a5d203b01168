using System.Globalization;

namespace Coordination.Redis.Probing;

/// <summary>What a server says of itself.</summary>
/// <param name="Brand">Its name, such as <c>redis</c>, <c>valkey</c> or <c>garnet</c>.</param>
/// <param name="Version">The version of that brand.</param>
/// <param name="Compatibility">The version of Redis that it stands for; null when it does not say.</param>
/// <param name="WritesWithoutItsReplicas">Whether it has replicas, and takes writes also when it is cut off from all of them.</param>
internal sealed record ServerIdentity(string Brand, string Version, Version? Compatibility, bool WritesWithoutItsReplicas)
{
    /// <summary>What it does when its memory is full, such as <c>allkeys-lru</c>; null when it does not say.</summary>
    public string? EvictionPolicy { get; init; }

    /// <summary>How many bytes it may take, zero for any number; null when it does not say.</summary>
    public long? MaxMemory { get; init; }

    /// <summary>Whether it writes an append-only file; null when it does not say.</summary>
    public bool? IsAppendOnly { get; init; }

    /// <summary>The oldest Redis whose scripts can do what ours need (they read the time and then write, and replicate their effects).</summary>
    public static readonly Version Oldest = new(6, 2);

    public bool IsTooOld => Compatibility is not null && Compatibility < Oldest;

    public bool IsGarnet => Brand == "garnet";

    /// <summary>Reads the reply to <c>INFO</c>: its sections server, replication, memory and persistence.</summary>
    public static ServerIdentity Parse(string info)
    {
        var fields = info.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(':', 2))
            .Where(field => field.Length == 2)
            .ToLookup(field => field[0], field => field[1], StringComparer.Ordinal);
        var redis = fields["redis_version"].FirstOrDefault();
        var brand = fields["server_name"].FirstOrDefault() ?? (fields["garnet_version"].Any() ? "garnet" : "redis");
        var version = fields[brand + "_version"].FirstOrDefault() ?? redis ?? "of unknown version";
        var hasReplicas = fields["role"].Contains("master") && fields["connected_slaves"].Any(count => count != "0");
        // It counts those that are in touch only where min-replicas-to-write is set.
        var needsReplicas = fields["min_slaves_good_slaves"].Any();
        return new ServerIdentity(brand, version, System.Version.TryParse(redis, out var compatibility) ? compatibility : null, hasReplicas && !needsReplicas)
        {
            EvictionPolicy = fields["maxmemory_policy"].FirstOrDefault(),
            MaxMemory = long.TryParse(fields["maxmemory"].FirstOrDefault(), CultureInfo.InvariantCulture, out var bytes) ? bytes : null,
            IsAppendOnly = fields["aof_enabled"].FirstOrDefault() is { } enabled ? enabled == "1" : null,
        };
    }
}
