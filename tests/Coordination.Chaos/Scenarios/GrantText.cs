using System.Globalization;

namespace Coordination.Chaos.Scenarios;

/// <summary>A field of the hash of a lock that several may hold. The layout stands in the header of <c>shares.lua</c>.</summary>
internal static class GrantText
{
    /// <summary>Whether a field is a grant: it is named after its owner.</summary>
    public static bool IsGrant(string field) => field[0] is not ('@' or '?' or '-');

    /// <summary>How long it lasts still, at a moment in µs; not above zero when it is over.</summary>
    public static TimeSpan RestAt(string text, long now) => TimeSpan.FromMicroseconds(Number(text[18..34]) + (Number(text[34..42]) * 1000) - now);

    private static long Number(string digits) => long.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture);
}
