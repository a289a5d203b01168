using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Coordination.Redis.Stores;

/// <summary>
/// An entry as it stands in Redis: its number; and where it says anything of itself, that with its rank and its note behind it, as <c>number|rank|note</c>. To the scripts it is one opaque
/// text, so each request of an acquisition has the same. The note is in Base64 for URLs, so nothing in it parts what the scripts part.
/// </summary>
internal static class EntryText
{
    private const char Separator = '|';

    /// <summary>What stands behind the number; empty for an entry that says nothing.</summary>
    public static string Rest(string? note, long rank) =>
        string.IsNullOrEmpty(note) && rank == 0
            ? string.Empty
            : string.Create(CultureInfo.InvariantCulture, $"{Separator}{rank}{Separator}{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(note ?? string.Empty))}");

    /// <summary>The number of an entry.</summary>
    public static ReadOnlySpan<char> NumberIn(ReadOnlySpan<char> entry) => entry.IndexOf(Separator) is >= 0 and var end ? entry[..end] : entry;

    /// <summary>What the first of several entries says that says anything.</summary>
    /// <param name="entries">Entries, with commas between them.</param>
    public static (string? Note, long Rank) NoteIn(ReadOnlySpan<char> entries)
    {
        if (entries.Contains(Separator))
        {
            foreach (var range in entries.Split(','))
            {
                var entry = entries[range];
                if (entry.IndexOf(Separator) is >= 0 and var at)
                {
                    return NoteBehind(entry[(at + 1)..]);
                }
            }
        }

        return default;
    }

    /// <summary>What this version does not understand says nothing.</summary>
    private static (string? Note, long Rank) NoteBehind(ReadOnlySpan<char> rest)
    {
        if (rest.IndexOf(Separator) is not (>= 0 and var end) || !long.TryParse(rest[..end], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var rank))
        {
            return default;
        }

        var note = rest[(end + 1)..];
        note = note.IndexOf(Separator) is >= 0 and var more ? note[..more] : note;
        return (note.IsEmpty || !Base64Url.IsValid(note) ? null : Encoding.UTF8.GetString(Base64Url.DecodeFromChars(note)), rank);
    }
}
