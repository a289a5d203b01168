using System.Globalization;
using System.Text.Unicode;
using Coordination.Stores;
using StackExchange.Redis;

namespace Coordination.Redis.Stores;

/// <summary>What a request asks, in the few arguments that its script takes: each one costs the server and the client more than a longer text.</summary>
internal static class RequestText
{
    private const long No = 1;
    private const long Yes = 2;
    private const int MostOnStack = 256;
    private const long EightDigits = 100_000_000;

    /// <summary>What the record says of a grant from its state on: held, with nobody queued.</summary>
    /// <remarks>Bytes, which are sent as they are: a text would be twice as long, and encoded each time.</remarks>
    private static RedisValue Grant(LockOwner owner, long entry, TimeSpan lease, string? note, long rank)
    {
        Span<byte> bytes = stackalloc byte[MostOnStack];
        var rest = EntryText.Rest(note, rank);
        return Utf8.TryWrite(bytes, CultureInfo.InvariantCulture, $"H0{Milliseconds(lease):D8}{owner.NodeId}/{owner.Sequence}#{entry}{rest}", out var length)
            ? bytes[..length].ToArray()
            : string.Create(CultureInfo.InvariantCulture, $"H0{Milliseconds(lease):D8}{owner.NodeId}/{owner.Sequence}#{entry}{rest}");
    }

    /// <summary>What to acquire.</summary>
    public static RedisValue[] Arguments(AcquireRequest request)
    {
        var grant = Grant(request.Owner, request.Entry, request.LeaseDuration, request.Note, request.Rank);
        return request.Occurrence is { } occurrence
            ? [grant, Options(request), Microseconds(occurrence.Time), occurrence.Run, occurrence.Recover ? 1 : 0, Milliseconds(occurrence.RememberFor)]
            : [grant, Options(request)];
    }

    /// <summary>Whether those who wait may be overtaken.</summary>
    public static RedisValue Barging(AcquireRequest request) => Digit(request.AllowBarging);

    /// <summary>What to release.</summary>
    /// <param name="request">What is asked.</param>
    /// <param name="mayHandOver">Whether a grant needs nothing beside the reply, as a replica's confirmation.</param>
    public static RedisValue[] Arguments(ReleaseRequest request, bool mayHandOver)
    {
        var grant = Grant(request.Owner, request.Entry, request.LeaseDuration ?? TimeSpan.Zero, request.Note, request.Rank);
        RedisValue[] arguments = request.Occurrence is { } occurrence
            ? [grant, Options(request, mayHandOver), Microseconds(occurrence.Time), occurrence.Run, request.OccurrenceIsFinished ? 1 : 0]
            : [grant, Options(request, mayHandOver)];
        return request.Successor is { } successor ? [.. arguments, successor] : arguments;
    }

    /// <summary>How to acquire. A number, which no text is made of.</summary>
    private static RedisValue Options(AcquireRequest request) =>
        (((Digit(request.Wait) * 10) + Digit(request.AllowBarging)) * EightDigits) + Milliseconds(request.ClaimWindow);

    /// <summary>How to release.</summary>
    private static RedisValue Options(ReleaseRequest request, bool mayHandOver)
    {
        var digits = (((Digit(IsPlain(request)) * 10) + Digit(request.AllowBarging)) * 10) + Digit(request.TakesHandover && mayHandOver);
        return (((digits * EightDigits) + Milliseconds(request.ClaimWindow)) * EightDigits) + Milliseconds(request.LockAtLeastFor);
    }

    /// <summary>What to renew.</summary>
    public static RedisValue Renewal(RenewalRequest request) =>
        string.Create(CultureInfo.InvariantCulture, $"{request.FencingToken ?? 0:D16}{Milliseconds(request.LeaseDuration):D8}{request.Owner}#{request.Entry}{Rest(request, request.Entry)}");

    /// <summary>What to claim.</summary>
    public static RedisValue Claim(RenewalRequest request) =>
        string.Create(CultureInfo.InvariantCulture, $"{request.FencingToken ?? 0:D16}{Milliseconds(request.LeaseDuration):D8}{request.Owner}#{request.ClaimedEntry}{Rest(request, request.ClaimedEntry)}");

    /// <summary>What stands behind the number of an entry, if one is named.</summary>
    public static string Rest(RenewalRequest request, long? entry) => entry is null ? string.Empty : EntryText.Rest(request.Note, request.Rank);

    public static RedisValue Token(long token) => token.ToString("D16", CultureInfo.InvariantCulture);

    public static long Microseconds(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>Rounded up: never shorter than what the holder counts on.</summary>
    public static long Milliseconds(TimeSpan duration) => (long)Math.Ceiling(duration.TotalMilliseconds);

    /// <summary>Whether all is done where the record says of the grant what <see cref="Grant"/> does.</summary>
    private static bool IsPlain(ReleaseRequest request) => request is { LeaseDuration: not null, Occurrence: null } && request.LockAtLeastFor == TimeSpan.Zero;

    private static long Digit(bool isSo) => isSo ? Yes : No;
}
