using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Coordination.DistributedLock.Locks;

/// <summary>
/// Makes a lock's name of any text, always the same of the same, and never the same of two: what is a name already stays as it is; of
/// anything else what can be read of it is kept, and a hash of the whole is appended.
/// </summary>
internal static class SafeName
{
    private const string Separator = "~";
    private const int MaxReadableBytes = LockName.MaxBytes - 1 - (2 * SHA256.HashSizeInBytes);
    private static readonly Rune Placeholder = new('_');

    public static string Of(string text) => LockName.FindError(text) is null ? text : Readable(text) + Separator + Hash(text);

    private static StringBuilder Readable(string text)
    {
        var readable = new StringBuilder();
        var bytes = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            var shown = rune.IsBmp && !LockName.MayContain((char)rune.Value) ? Placeholder : rune;
            if ((bytes += shown.Utf8SequenceLength) > MaxReadableBytes)
            {
                break;
            }

            readable.Append(shown);
        }

        return readable;
    }

    /// <summary>Of the text's own units: in UTF-8 all halves of surrogate pairs would be the same.</summary>
    private static string Hash(string text)
    {
        var units = new byte[text.Length * sizeof(char)];
        for (var i = 0; i < text.Length; i++)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(units.AsSpan(i * sizeof(char)), text[i]);
        }

        return Convert.ToHexStringLower(SHA256.HashData(units));
    }
}
