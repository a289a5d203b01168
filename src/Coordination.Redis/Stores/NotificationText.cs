using System.Globalization;
using Coordination.Stores;

namespace Coordination.Redis.Stores;

/// <summary>A notification as the scripts write it: kind, lock name, owner and a number, in lines, for none of them has a line break.</summary>
internal static class NotificationText
{
    /// <returns>False when the text is none of ours, or of a version that is newer than this one.</returns>
    public static bool TryParse(string text, out LockNotification notification)
    {
        notification = default;
        if (text.Split('\n') is not [var kind, var lockName, var ownerText, var numberText]
            || !LockOwner.TryParse(ownerText, out var owner)
            || !long.TryParse(numberText, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return false;
        }

        LockNotification? known = kind switch
        {
            "granted" => LockNotification.Granted(lockName, owner),
            "again" => LockNotification.AskAgain(lockName, owner, TimeSpan.FromMilliseconds(number)),
            "revoked" => LockNotification.Revoked(lockName, owner, number),
            _ => null,
        };
        notification = known.GetValueOrDefault();
        return known is not null;
    }
}
