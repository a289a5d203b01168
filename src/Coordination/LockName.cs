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

    /// <summary>Whether a name may have a character.</summary>
    /// <param name="c">Half a surrogate pair counts as allowed: only the whole name shows whether it is valid.</param>
    public static bool MayContain(char c) => !char.IsControl(c) && c is not ('{' or '}');
}
