using System.Text.RegularExpressions;

namespace Coordination.Telemetry;

/// <summary>Why the store refused a call, without what differs between two calls that it refuses for the same: the lock, the key, the script, a number.</summary>
/// <param name="Error">The type of the backend's own exception; null where there is none.</param>
/// <param name="Text">Its message without those, or that of the store where there is none.</param>
internal readonly partial record struct RefusalReason(string? Error, string Text)
{
    public static RefusalReason Of(LockStoreException error, string? lockName)
    {
        var text = error.InnerException?.Message ?? error.Message;
        if (!string.IsNullOrEmpty(lockName))
        {
            text = text.Replace(lockName, "…", StringComparison.Ordinal);
        }

        return new RefusalReason(error.InnerException?.GetType().Name, Particulars().Replace(text, "…"));
    }

    // What is quoted, but after an apostrophe as in "can't" nothing is; hashes of scripts; numbers.
    [GeneratedRegex(@"(?<!\w)'[^']*'|\b[0-9a-f]{40}\b|\d+")]
    private static partial Regex Particulars();
}
