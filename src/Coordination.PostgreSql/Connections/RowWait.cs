using System.Diagnostics;
using System.Globalization;

namespace Coordination.PostgreSql.Connections;

/// <summary>
/// How long a call waits for rows that somebody else has locked. The server limits each single wait, and a transaction may have several: for those who wait before it and then for who has
/// the row, for each of several rows, for each of several transactions that a lease guards. So it waits a little at a time, tries again, and counts by itself.
/// </summary>
/// <param name="limit">How long it waits in all.</param>
internal readonly struct RowWait(TimeSpan limit)
{
    private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(250);

    /// <summary>While it is not known that somebody keeps the rows: then not many find it out at once with all connections that there are.</summary>
    private static readonly TimeSpan LongestAtFirst = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(10);

    private readonly long _begunAt = Stopwatch.GetTimestamp();

    /// <summary>What is left of it.</summary>
    public TimeSpan Left => limit - Stopwatch.GetElapsedTime(_begunAt);

    /// <summary>Whether there is time for another try.</summary>
    public bool HasTime => Left > Shortest;

    /// <summary>The limit of a single wait of the next try, which has two of them, in milliseconds.</summary>
    /// <param name="isBusy">Whether it is known that somebody keeps the rows.</param>
    public string LockTimeoutFor(bool isBusy)
    {
        var (half, most) = (Left / 2, isBusy ? Longest : LongestAtFirst);
        var next = half < most ? half : most;
        return string.Create(CultureInfo.InvariantCulture, $"{(long)(next > Shortest ? next : Shortest).TotalMilliseconds}");
    }
}
