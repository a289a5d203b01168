using System.Globalization;
using Npgsql;

namespace Coordination.PostgreSql.Connections;

/// <summary>What the client takes in a connection string, and fails by later: when it makes the pool, or at each connection that it tries to make.</summary>
internal static class ConnectionSettings
{
    private const int LastPort = 65535;
    private const int SmallestBuffer = 4096;

    /// <summary>Finds what never works.</summary>
    /// <param name="settings">What is set.</param>
    /// <returns>Sentences that go on from the name of what has the settings. No host, user or password is in them.</returns>
    public static IEnumerable<string> FindErrors(NpgsqlConnectionStringBuilder settings)
    {
        foreach (var port in PortsOf(settings).Where(static port => port is < 1 or > LastPort))
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"has the port {port}. Set 1 to {LastPort}; 5432 is the usual one.");
        }

        foreach (var (name, size) in ((string, int)[])[("Read Buffer Size", settings.ReadBufferSize), ("Write Buffer Size", settings.WriteBufferSize)])
        {
            if (size < SmallestBuffer)
            {
                yield return string.Create(CultureInfo.InvariantCulture, $"has {name}={size}. Set {SmallestBuffer} or more, or leave it out.");
            }
        }

        if (settings.ConnectionPruningInterval == 0)
        {
            yield return "has Connection Pruning Interval=0. Set 1 or more seconds, or leave it out.";
        }
        else if (settings.ConnectionIdleLifetime < settings.ConnectionPruningInterval)
        {
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"has Connection Idle Lifetime={settings.ConnectionIdleLifetime}, and looks for idle connections every {settings.ConnectionPruningInterval} seconds only. Set {settings.ConnectionPruningInterval} or more, or a shorter Connection Pruning Interval.");
        }
    }

    /// <summary>Each host may have one of its own.</summary>
    private static IEnumerable<int> PortsOf(NpgsqlConnectionStringBuilder settings)
    {
        yield return settings.Port;
        foreach (var host in (settings.Host ?? string.Empty).Split(','))
        {
            var colon = host.LastIndexOf(':');

            // A folder of sockets has none, nor has an address of IPv6 that stands without brackets.
            if (colon > 0 && !host.Contains('/', StringComparison.Ordinal) && (host.IndexOf(':', StringComparison.Ordinal) == colon || host[colon - 1] == ']')
                && int.TryParse(host.AsSpan(colon + 1), NumberStyles.Integer, CultureInfo.InvariantCulture, out var port))
            {
                yield return port;
            }
        }
    }
}
