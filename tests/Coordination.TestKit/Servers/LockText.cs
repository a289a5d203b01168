using System.Globalization;

namespace Coordination.TestKit.Servers;

/// <summary>A lock's record on a server, for tests that look past the store or write what no store would. The layout stands in the header of <c>prelude.lua</c>.</summary>
/// <param name="Token">The fencing token of the last grant.</param>
/// <param name="From">When the lease began or was renewed last, in µs.</param>
/// <param name="State">F, H, C or R.</param>
/// <param name="Queue">0 or 1.</param>
/// <param name="Lease">In ms.</param>
/// <param name="Who">The owner and its entries, and what stands behind them.</param>
public sealed record LockText(long Token, long From, char State, char Queue, long Lease, string Who)
{
    private const char Free = 'F';

    public static string KeyOf(string prefix, string lockName) => $"{prefix}:v2:{{{lockName}}}";

    public static LockText Parse(string text) =>
        new(Number(text[..16]), Number(text[16..32]), text[32], text[33], Number(text[34..42]), text[42..]);

    /// <summary>How long somebody has it still, at a moment in µs; not above zero when nobody has.</summary>
    public TimeSpan RestAt(long now) => State == Free ? TimeSpan.Zero : TimeSpan.FromMicroseconds(From + (Lease * 1000) - now);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Token:D16}{From:D16}{State}{Queue}{Lease:D8}{Who}");

    private static long Number(string digits) => long.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture);
}
