using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Coordination.Hosting.Partitions;

/// <summary>The hashes that all nodes agree on, whatever runtime, machine and release they are: they never change.</summary>
internal static class PartitionHash
{
    /// <summary>The first eight bytes of SHA-256 of a name.</summary>
    public static ulong Of(string name)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(name), hash);
        return BinaryPrimitives.ReadUInt64BigEndian(hash);
    }

    /// <summary>How much a partition is a node's: the finalizer of SplitMix64 over both.</summary>
    public static ulong Score(ulong partition, ulong node)
    {
        unchecked
        {
            var mixed = partition ^ (node * 0x9E3779B97F4A7C15);
            mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
            mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
            return mixed ^ (mixed >> 31);
        }
    }
}
