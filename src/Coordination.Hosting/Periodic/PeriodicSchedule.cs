using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Coordination.Hosting.Periodic;

/// <summary>
/// Cuts time into slots of one interval, the same on every node: counted from 1970-01-01 UTC. A slot is due at its start and a part of the
/// jitter, which every node works out from the name and the slot.
/// </summary>
internal sealed class PeriodicSchedule(string name, TimeSpan interval, TimeSpan jitter)
{
    /// <summary>How much further ahead a slot that was run is than clocks differ.</summary>
    private static readonly TimeSpan Ahead = TimeSpan.FromMinutes(1);

    /// <summary>Whether a slot that was run lies so far in the future that a clock was wrong.</summary>
    public static bool IsAhead(DateTimeOffset slot, DateTimeOffset now) => slot - now > Ahead;

    /// <summary>The start of the last slot that is due.</summary>
    public DateTimeOffset LastDue(DateTimeOffset now)
    {
        var start = DateTimeOffset.UnixEpoch + TimeSpan.FromTicks((now - DateTimeOffset.UnixEpoch).Ticks / interval.Ticks * interval.Ticks);
        return DueAt(start) <= now ? start : start - interval;
    }

    /// <summary>The start of the slot after one.</summary>
    public DateTimeOffset After(DateTimeOffset slot) => slot + interval;

    /// <summary>When a slot is due.</summary>
    public DateTimeOffset DueAt(DateTimeOffset slot)
    {
        if (jitter == TimeSpan.Zero)
        {
            return slot;
        }

        // A random number would be another one on each node, and the shortest of them would count.
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{name}/{slot.Ticks}"));
        return slot + (jitter * (BinaryPrimitives.ReadUInt32LittleEndian(hash) / (uint.MaxValue + 1.0)));
    }
}
