using System.Globalization;

namespace Coordination.Hosting.Partitions;

/// <summary>What a node says to the others with its membership: how many partitions it leads at most. Parts of later releases are passed over.</summary>
internal static class PartitionNote
{
    private const string Max = "max=";

    /// <returns>Null for nothing to say.</returns>
    public static string? Write(int? maxPartitions) => maxPartitions is { } max ? Max + max.ToString(CultureInfo.InvariantCulture) : null;

    /// <returns>How many it leads at most; null for any number.</returns>
    public static int? Read(string? note)
    {
        foreach (var part in (note ?? string.Empty).Split(' '))
        {
            if (part.StartsWith(Max, StringComparison.Ordinal) && int.TryParse(part.AsSpan(Max.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var max) && max > 0)
            {
                return max;
            }
        }

        return null;
    }
}
