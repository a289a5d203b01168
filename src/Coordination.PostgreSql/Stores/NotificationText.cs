using System.Globalization;
using Coordination.PostgreSql.Transactions;
using Coordination.Stores;

namespace Coordination.PostgreSql.Stores;

/// <summary>A notification as nodes tell it each other, in lines, for nothing in it has a line break: its kind, the lock's name, the owner, and what the kind adds.</summary>
internal static class NotificationText
{
    public static string Write(LockNotification told, long clock) => told.Kind switch
    {
        LockNotificationKind.Granted when told.Handover is { } handover => string.Create(
            CultureInfo.InvariantCulture,
            $"granted\n{told.LockName}\n{told.Owner}\n{handover.Entry}\n{handover.FencingToken}\n{Moments.ToMicroseconds(handover.At)}\n{Micros(handover.ClaimWindow)}\n{clock}\n{handover.Permit}"),
        LockNotificationKind.Granted => string.Create(CultureInfo.InvariantCulture, $"granted\n{told.LockName}\n{told.Owner}"),
        LockNotificationKind.AskAgain => string.Create(CultureInfo.InvariantCulture, $"again\n{told.LockName}\n{told.Owner}\n{Micros(told.After)}"),
        LockNotificationKind.Revoked => string.Create(CultureInfo.InvariantCulture, $"revoked\n{told.LockName}\n{told.Owner}\n{told.FencingToken}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"stepdown\n{told.LockName}\n{told.Owner}\n{told.FencingToken}\n{Micros(told.Request!.StayAway)}\n{told.Request.Successor}\n{told.Request.Call}"),
    };

    /// <returns>False when the text is none of ours, or of a version that is newer than this one.</returns>
    public static bool TryParse(string text, out LockNotification notification)
    {
        notification = default;
        if (text.Split('\n') is not [var kind, var lockName, var who, .. var rest] || !LockOwner.TryParse(who, out var owner))
        {
            return false;
        }

        LockNotification? known = (kind, rest) switch
        {
            ("granted", [var entry, var token, var at, var window, var clock, var permit, ..]) when Read(entry, out var ofEntry) && Read(token, out var number) && Read(at, out var since) && Read(window, out var micros) && Read(clock, out var ofClock) =>
                LockNotification.Granted(lockName, owner, new LockHandover
                {
                    Entry = ofEntry,
                    FencingToken = number,
                    Permit = Read(permit, out var taken) ? (int)taken : null,
                    At = Moments.FromMicroseconds(since),
                    ClaimWindow = TimeSpan.FromMicroseconds(micros),
                    StoreClock = ofClock,
                }),
            ("granted", _) => LockNotification.Granted(lockName, owner),
            ("again", [var after, ..]) when Read(after, out var micros) => LockNotification.AskAgain(lockName, owner, TimeSpan.FromMicroseconds(micros)),
            ("revoked", [var token, ..]) when Read(token, out var number) => LockNotification.Revoked(lockName, owner, number),
            ("stepdown", [var token, var stayAway, var successor, var call, ..]) when Read(token, out var number) && Read(stayAway, out var micros) && Read(call, out var caller) && RequestOf(micros, successor, caller) is { } request =>
                LockNotification.StepDown(lockName, owner, number, request),
            _ => null,
        };
        notification = known.GetValueOrDefault();
        return known is not null;
    }

    /// <summary>What a holder is asked; null where it is nothing that this version asks.</summary>
    private static StepDownRequest? RequestOf(long stayAway, string successor, long call)
    {
        try
        {
            return new StepDownRequest { StayAway = TimeSpan.FromMicroseconds(stayAway), Successor = successor.Length > 0 ? successor : null, Call = call };
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private static long Micros(TimeSpan time) => time.Ticks / TimeSpan.TicksPerMicrosecond;

    private static bool Read(string digits, out long number) => long.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number);
}
