using System.Text;

namespace Coordination.Locks;

/// <summary>The rules that a lock's name keeps, so that it can be part of a key in every store.</summary>
internal static class LockName
{
    public const int MaxBytes = 512;

    public static string Validate(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        foreach (var c in name)
        {
            if (char.IsControl(c))
            {
                throw new ArgumentException($"A lock name must not have control characters; this one has U+{(int)c:X4}. Remove it.", nameof(name));
            }

            if (c is '{' or '}')
            {
                throw new ArgumentException($"The lock name '{name}' has a brace, which a Redis Cluster would read as a hash tag. Use another character.", nameof(name));
            }
        }

        int bytes;
        try
        {
            bytes = Strict.GetByteCount(name);
        }
        catch (EncoderFallbackException e)
        {
            // Half a surrogate pair would be written as a replacement character, and two names would become one.
            throw new ArgumentException("A lock name must be valid Unicode; this one has half a surrogate pair.", nameof(name), e);
        }

        return bytes <= MaxBytes
            ? name
            : throw new ArgumentException($"A lock name may have {MaxBytes} bytes of UTF-8; this one has {bytes}. Use a shorter name, or a hash of it.", nameof(name));
    }

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
}
