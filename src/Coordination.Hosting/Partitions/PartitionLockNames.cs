using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Coordination.Hosting.Partitions;

/// <summary>The names of a service's locks.</summary>
/// <param name="service">What they begin with.</param>
internal sealed class PartitionLockNames(string service)
{
    private const string MembersName = "members";

    // Half a surrogate pair would be written as a replacement character, and two partitions would share one lock.
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public string Service => service;

    /// <summary>The semaphore that every node holds which takes part.</summary>
    public string Members { get; } = $"{service}/{MembersName}";

    /// <summary>The lock of a partition. Different partitions have different locks, whatever is in their names.</summary>
    /// <exception cref="ArgumentException">The name of the partition is not valid Unicode.</exception>
    public string Of(string partition)
    {
        // A per cent sign comes from nothing else but what is escaped.
        var name = $"{service}/{(partition == MembersName ? "%6Dembers" : LockName.Compose(partition))}";
        return Strict.GetByteCount(name) <= LockName.MaxBytes ? name : Shorten(partition);
    }

    /// <summary>Says why a partition of that name has no lock.</summary>
    /// <returns>A sentence, which anything can show; null when it has one.</returns>
    public string? FindError(string? partition)
    {
        if (string.IsNullOrEmpty(partition))
        {
            return "A name is empty. Give each partition a name.";
        }

        try
        {
            return LockName.FindError(Of(partition)) is { } error ? $"The name '{partition}' makes no lock: {error}" : null;
        }
        catch (EncoderFallbackException)
        {
            return $"The name '{Show(partition)}' has half a surrogate pair. Give the partition a name that is valid Unicode.";
        }
    }

    /// <exception cref="ArgumentException">There is no room for the names of partitions.</exception>
    public PartitionLockNames Validate()
    {
        LockName.Validate(Members);
        LockName.Validate(Shorten(MembersName));
        return this;
    }

    private string Shorten(string partition) => $"{service}/~{Convert.ToHexStringLower(SHA256.HashData(Strict.GetBytes(partition)).AsSpan(0, 16))}";

    private static string Show(string name) => string.Concat(name.Select(static c => char.IsSurrogate(c) ? string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:X4}") : c.ToString()));
}
