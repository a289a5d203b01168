using System.Globalization;

namespace Coordination.Benchmarks.Agents;

/// <summary>A share as one word between a program and its agent.</summary>
internal static class ShareText
{
    private const string Permit = "permit-of-";

    public static string Of(LockShare share) => share.Kind == LockShareKind.Permit
        ? string.Create(CultureInfo.InvariantCulture, $"{Permit}{share.Capacity.Permits}")
        : share.Kind.ToString();

    public static LockShare Parse(string text) => text switch
    {
        _ when text.StartsWith(Permit, StringComparison.Ordinal) => LockShare.PermitOf(int.Parse(text[Permit.Length..], CultureInfo.InvariantCulture)),
        nameof(LockShareKind.Read) => LockShare.Read,
        nameof(LockShareKind.Write) => LockShare.Write,
        _ => throw new ArgumentException($"An unknown share: {text}.", nameof(text)),
    };
}
