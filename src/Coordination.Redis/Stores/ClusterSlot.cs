using System.Text;

namespace Coordination.Redis.Stores;

/// <summary>
/// The slot of a lock's keys on a Redis Cluster. Not asked of the client library, which knows slots only where it may read the
/// map of the Cluster; a server whose user lacks that right refuses scripts with keys of several slots all the same.
/// </summary>
internal static class ClusterSlot
{
    private const int Slots = 16384;

    /// <summary>CRC16 (XMODEM) of the hash tag, which is the lock's name.</summary>
    public static int Of(string lockName)
    {
        var crc = 0;
        foreach (var part in Encoding.UTF8.GetBytes(lockName))
        {
            crc ^= part << 8;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc & 0x8000) == 0 ? crc << 1 : (crc << 1) ^ 0x1021;
            }
        }

        return (crc & 0xFFFF) % Slots;
    }
}
