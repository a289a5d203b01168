using System.Globalization;

namespace Coordination.Hosting.Partitions;

/// <summary>
/// What a node says to the others with its membership: how many partitions it leads at most by now, and which it stays away from for now. Parts of later releases are passed over, and a node of an earlier one passes over the
/// second of these: to that the partition is this node's share still.
/// </summary>
internal static class PartitionNote
{
    private const string Max = "max=";
    private const string Away = "away=";

    /// <param name="maxPartitions">How many partitions the node leads at most; null for any number.</param>
    /// <param name="away">The names of those that it stays away from, each once.</param>
    /// <returns>Null for nothing to say.</returns>
    public static string? Write(int? maxPartitions, IEnumerable<string> away)
    {
        var max = maxPartitions is { } number ? Max + number.ToString(CultureInfo.InvariantCulture) : null;

        HashSet<ulong> hashes = [.. away.Select(PartitionHash.Of)];
        if (hashes.Count == 0)
        {
            return max;
        }

        var absences = Away + AbsenceFilter.Create(hashes);
        return max is null ? absences : $"{max} {absences}";
    }

    /// <returns>How many it leads at most; null for any number.</returns>
    public static int? Read(string? note) =>
        Find(note, Max) is { } text && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var max) ? max : null;

    /// <returns>Which partitions it stays away from, for <see cref="AbsenceFilter.Parse"/>; null for none.</returns>
    public static string? ReadAway(string? note) => Find(note, Away);

    private static string? Find(string? note, string key) =>
        (note ?? string.Empty).Split(' ').FirstOrDefault(part => part.StartsWith(key, StringComparison.Ordinal))?[key.Length..];
}
