using System.Globalization;
using Coordination.Stores;

namespace Coordination.Redis.Stores;

/// <summary>A notification as the scripts write it, in lines, for nothing in it has a line break: its kind, the lock's name, owner#entry, and what the kind adds.</summary>
internal static class NotificationText
{
    /// <returns>False when the text is none of ours, or of a version that is newer than this one.</returns>
    public static bool TryParse(string text, out LockNotification notification)
    {
        notification = default;
        if (text.Split('\n') is not [var kind, var lockName, var who, .. var rest]
            || who.LastIndexOf('#') is not (> 0 and var end)
            || !LockOwner.TryParse(who[..end], out var owner))
        {
            return false;
        }

        LockNotification? known = (kind, rest) switch
        {
            ("granted", [var token, var at, var window, .. var more]) when IsPermit(more) && TryRead(EntryText.NumberIn(who.AsSpan(end + 1)), out var entry) && TryRead(token, out var number) && TryRead(at, out var micros) && TryRead(window, out var milliseconds) =>
                LockNotification.Granted(lockName, owner, new LockHandover
                {
                    Entry = entry,
                    FencingToken = number,
                    Permit = more is [var permit] && TryRead(permit, out var taken) ? (int)taken : null,
                    At = DateTimeOffset.UnixEpoch.AddMicroseconds(micros),
                    ClaimWindow = TimeSpan.FromMilliseconds(milliseconds),
                }),
            ("again", [var after]) when TryRead(after, out var milliseconds) => LockNotification.AskAgain(lockName, owner, TimeSpan.FromMilliseconds(milliseconds)),
            ("revoked", [var token]) when TryRead(token, out var number) => LockNotification.Revoked(lockName, owner, number),
            ("stepdown", [var token, var stayAway, var successor, var call]) when TryRead(token, out var number) && TryRead(stayAway, out var milliseconds) && TryRead(call, out var caller) && RequestOf(milliseconds, successor, caller) is { } request =>
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
            return new StepDownRequest { StayAway = TimeSpan.FromMilliseconds(stayAway), Successor = successor.Length > 0 ? successor : null, Call = call };
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    /// <summary>Nothing more, or the number of the permit.</summary>
    private static bool IsPermit(string[] more) => more.Length == 0 || (more is [var permit] && TryRead(permit, out _));

    private static bool TryRead(ReadOnlySpan<char> digits, out long number) => long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
