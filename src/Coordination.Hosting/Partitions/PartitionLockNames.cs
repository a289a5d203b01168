using System.Security.Cryptography;
using System.Text;

namespace Coordination.Hosting.Partitions;

/// <summary>The names of a service's locks.</summary>
/// <param name="service">What they begin with.</param>
internal sealed class PartitionLockNames(string service)
{
    private const string MembersName = "members";

    public string Service => service;

    /// <summary>The semaphore that every node holds which takes part.</summary>
    public string Members { get; } = $"{service}/{MembersName}";

    /// <summary>The lock of a partition. Different partitions have different locks, whatever is in their names.</summary>
    public string Of(string partition)
    {
        // A per cent sign comes from nothing else but what is escaped.
        var name = $"{service}/{(partition == MembersName ? "%6Dembers" : LockName.Compose(partition))}";
        return Encoding.UTF8.GetByteCount(name) <= LockName.MaxBytes ? name : Shorten(partition);
    }

    /// <exception cref="ArgumentException">There is no room for the names of partitions.</exception>
    public PartitionLockNames Validate()
    {
        LockName.Validate(Members);
        LockName.Validate(Shorten(MembersName));
        return this;
    }

    private string Shorten(string partition) => $"{service}/~{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(partition)).AsSpan(0, 16))}";
}
