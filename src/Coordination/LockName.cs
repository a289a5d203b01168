using System.Text;

namespace Coordination;

/// <summary>The rules that a lock's name keeps, so that it can be part of a key in every store.</summary>
internal static class LockName
{
    public const int MaxBytes = 512;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static string Validate(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Refusal(name) is { } reason ? throw new ArgumentException(reason, nameof(name)) : name;
    }

    /// <summary>Why a text is not a name; null for one that is.</summary>
    public static string? Refusal(string name)
    {
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

    public static bool MayContain(char c) => !char.IsControl(c) && c is not ('{' or '}');
}
