using System.Globalization;

namespace Coordination.Hosting.Partitions;

/// <summary>
/// What a node says to the others with its membership: how many partitions it leads at most, and which it stays away from for now. Parts of later releases are passed over, and a node of an earlier one passes over the
/// second of these: to that the partition is this node's share still.
/// </summary>
internal static class PartitionNote
{
    private const string Max = "max=";
    private const string Away = "away=";

    /// <summary>So many fit into a note. Those that come after them stay the share of the node.</summary>
    private const int MostAway = 50;

    /// <param name="maxPartitions">How many partitions the node leads at most; null for any number.</param>
    /// <param name="away">The names of those that it stays away from, each once.</param>
    /// <returns>Null for nothing to say.</returns>
    public static string? Write(int? maxPartitions, IEnumerable<string> away)
    {
        var max = maxPartitions is { } number ? Max + number.ToString(CultureInfo.InvariantCulture) : null;

        var hashes = string.Join(',', away.Select(HashOf).Order(StringComparer.Ordinal).Take(MostAway));
        return hashes.Length == 0 ? max : max is null ? Away + hashes : $"{max} {Away}{hashes}";
    }

    /// <returns>How many it leads at most; null for any number.</returns>
    public static int? Read(string? note) =>
        Find(note, Max) is { } text && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var max) && max > 0 ? max : null;

    /// <returns>Which partitions it stays away from, for <see cref="ParseAway"/>; null for none.</returns>
    public static string? ReadAway(string? note) => Find(note, Away);

    /// <summary>What <see cref="ReadAway"/> would say if the node stayed away from one more partition.</summary>
    public static string AddAway(string? away, string partition) => away is null ? HashOf(partition) : $"{away},{HashOf(partition)}";

    /// <summary>The hashes of the partitions of <see cref="ReadAway"/>.</summary>
    public static HashSet<ulong> ParseAway(string? away)
    {
        var hashes = new HashSet<ulong>();
        foreach (var text in (away ?? string.Empty).Split(','))
        {
            if (ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var hash))
            {
                hashes.Add(hash);
            }
        }

        return hashes;
    }

    /// <summary>A name may be as long as a note, and have any characters.</summary>
    private static string HashOf(string partition) => PartitionHash.Of(partition).ToString("x16", CultureInfo.InvariantCulture);

    private static string? Find(string? note, string key) =>
        (note ?? string.Empty).Split(' ').FirstOrDefault(part => part.StartsWith(key, StringComparison.Ordinal))?[key.Length..];
}
