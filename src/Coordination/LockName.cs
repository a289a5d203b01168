using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Coordination;

/// <summary>The rules for the name of a lock, so that it can be part of a key in every store. For authors of integrations that make names.</summary>
public static class LockName
{
    /// <summary>The longest name: 512 bytes of UTF-8.</summary>
    public const int MaxBytes = 512;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Checks a name.</summary>
    /// <param name="name">A name.</param>
    /// <returns>The name.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    /// <exception cref="ArgumentException">It is not a name for a lock; the message says why, and what to do.</exception>
    public static string Validate(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return FindError(name) is { } reason ? throw new ArgumentException(reason, nameof(name)) : name;
    }

    /// <summary>Says why a text is not a name for a lock.</summary>
    /// <param name="name">A text.</param>
    /// <returns>A sentence; null when the text is a name.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    public static string? FindError(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (name.Length == 0)
        {
            return "A lock name must not be empty.";
        }

        foreach (var c in name)
        {
            if (!MayContain(c))
            {
                return c is '{' or '}'
                    ? $"The lock name '{name}' has a brace, which a Redis Cluster would read as a hash tag. Use another character."
                    : $"A lock name must not have control characters; this one has U+{(int)c:X4}. Remove it.";
            }
        }

        int bytes;
        try
        {
            bytes = Strict.GetByteCount(name);
        }
        catch (EncoderFallbackException)
        {
            // Half a surrogate pair would be written as a replacement character, and two names would become one.
            return "A lock name must be valid Unicode; this one has half a surrogate pair.";
        }

        return bytes > MaxBytes ? $"A lock name may have {MaxBytes} bytes of UTF-8; this one has {bytes}. Use a shorter name, or a hash of it." : null;
    }

    /// <summary>
    /// A name made of parts, as of an application and what belongs to it: <c>shop/reports</c>. Different parts make different names, whatever is in
    /// them: slashes, percent signs, tildes, braces and control characters are written as <c>%2F</c>. A name that would be longer than
    /// <see cref="MaxBytes"/> is cut, and ends with a tilde and a hash of the whole.
    /// </summary>
    /// <param name="parts">The parts, from the outermost to the innermost.</param>
    /// <returns>A name, if there are parts and they are valid Unicode.</returns>
    public static string Compose(params ReadOnlySpan<string> parts)
    {
        var name = new StringBuilder();
        for (var i = 0; i < parts.Length; i++)
        {
            if (i > 0)
            {
                name.Append('/');
            }

            foreach (var c in parts[i])
            {
                if (c is '/' or '%' or '~' || !MayContain(c))
                {
                    name.Append(CultureInfo.InvariantCulture, $"%{(int)c:X2}");
                }
                else
                {
                    name.Append(c);
                }
            }
        }

        return Shorten(name.ToString());
    }

    /// <summary>Whether a name may have a character.</summary>
    /// <param name="c">Half a surrogate pair counts as allowed: only the whole name shows whether it is valid.</param>
    public static bool MayContain(char c) => !char.IsControl(c) && c is not ('{' or '}');

    /// <summary>Cuts a name that is too long. No other name ends as it does then: a tilde comes from nowhere else.</summary>
    private static string Shorten(string name)
    {
        if (name.Length == 0 || !IsUnicode(name) || Strict.GetByteCount(name) <= MaxBytes)
        {
            return name;
        }

        var ending = $"~{Convert.ToHexStringLower(SHA256.HashData(Strict.GetBytes(name)).AsSpan(0, 16))}";
        var (bytes, length) = (ending.Length, 0);
        foreach (var rune in name.EnumerateRunes())
        {
            bytes += rune.Utf8SequenceLength;
            if (bytes > MaxBytes)
            {
                break;
            }

            length += rune.Utf16SequenceLength;
        }

        return name[..length] + ending;
    }

    /// <summary>Whether there is no half of a surrogate pair in a text.</summary>
    internal static bool IsUnicode(string text) => IndexOfHalfAPair(text) < 0;

    /// <summary>Where half a surrogate pair is in a text; -1 where there is none.</summary>
    internal static int IndexOfHalfAPair(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsSurrogatePair(text, i))
            {
                i++;
            }
            else if (char.IsSurrogate(text[i]))
            {
                return i;
            }
        }

        return -1;
    }
}
