using System.Globalization;

namespace Coordination.PostgreSql.Transactions;

/// <summary>What a share is, as documents and columns have it: its kind, with the number of permits or the reader of an upgrade after a colon.</summary>
internal static class ShareText
{
    public static string Of(LockShare share) => share.Kind switch
    {
        LockShareKind.Permit => string.Create(CultureInfo.InvariantCulture, $"permit:{share.Capacity.Permits}"),
        LockShareKind.Read => "read",
        LockShareKind.UpgradeableRead => "upgradeable",
        LockShareKind.Upgrade => "upgrade:" + share.Reader,
        _ => "write",
    };

    /// <returns>Null for what this version does not know.</returns>
    public static LockShare? Parse(string? text) => text switch
    {
        "read" => LockShare.Read,
        "upgradeable" => LockShare.UpgradeableRead,
        "write" => LockShare.Write,
        { } permit when permit.StartsWith("permit:", StringComparison.Ordinal) && int.TryParse(permit.AsSpan(7), NumberStyles.None, CultureInfo.InvariantCulture, out var permits) => LockShare.PermitOf(permits),
        { } upgrade when upgrade.StartsWith("upgrade:", StringComparison.Ordinal) && LockOwner.TryParse(upgrade[8..], out var reader) => LockShare.UpgradeOf(reader),
        _ => null,
    };
}
