using System.Globalization;

namespace Coordination.Redis.Stores;

/// <summary>Reads a grant as it stands in the hash of a lock that several may hold at a time. What the scripts say of it stands in <c>shares.lua</c>.</summary>
internal static class ShareGrantText
{
    private const int EntriesAt = 47;

    /// <summary>Who has the grant at a moment.</summary>
    /// <param name="owner">The field.</param>
    /// <param name="text">What stands in it.</param>
    /// <param name="permits">How many permits the lock has.</param>
    /// <param name="now">The moment, in µs of the server's clock.</param>
    /// <returns>Null when it has run out, or something else wrote it.</returns>
    public static LockHolder? Describe(string owner, string text, int permits, long now)
    {
        if (text.Length < EntriesAt
            || !LockOwner.TryParse(owner, out var holder)
            || !TryRead(text.AsSpan(2, 16), out var token)
            || !TryRead(text.AsSpan(18, 16), out var from)
            || !TryRead(text.AsSpan(34, 8), out var lease)
            || !TryRead(text.AsSpan(42, 5), out var permit)
            || text[EntriesAt..].Split('\n') is not [var entries, var since, var reader, ..]
            || ShareText.ShareIn(text[1], permits, reader) is not { } share)
        {
            return null;
        }

        // The clock may have been set back: a lease that was to begin later begins now.
        var left = Math.Min(from, now) + (lease * 1000) - now;
        var (note, rank) = EntryText.NoteIn(entries);
        return left <= 0 ? null : new LockHolder
        {
            Owner = holder,
            FencingToken = token,
            Since = DateTimeOffset.UnixEpoch.AddMicroseconds(TryRead(since, out var differing) ? differing : token),
            TimeToLive = TimeSpan.FromMicroseconds(left),
            IsReleased = text[0] == 'R',
            Share = share,
            Permit = share.Kind == LockShareKind.Permit ? (int)permit : null,
            Note = note,
            Rank = rank,
        };
    }

    private static bool TryRead(ReadOnlySpan<char> digits, out long number) => long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
