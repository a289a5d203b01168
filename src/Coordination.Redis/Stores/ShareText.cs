using System.Globalization;
using Coordination.Stores;
using StackExchange.Redis;

namespace Coordination.Redis.Stores;

/// <summary>What a request asks of a lock that several may hold at a time, in the few arguments that its script takes. The scripts say what stands where.</summary>
internal static class ShareText
{
    private const long No = 1;
    private const long Yes = 2;
    private const long EightDigits = 100_000_000;

    /// <summary>What to acquire.</summary>
    public static RedisValue[] Arguments(AcquireRequest request, LockShare share)
    {
        var wanted = Grant(share, request.LeaseDuration, request.Owner, request.Entry, request.Note, request.Rank);
        RedisValue options = ((request.Wait ? Yes : No) * EightDigits) + RequestText.Milliseconds(request.ClaimWindow);
        return request.Occurrence is { } occurrence
            ? [wanted, options, ReaderOf(share), RequestText.Microseconds(occurrence.Time), occurrence.Run, occurrence.Recover ? 1 : 0, RequestText.Milliseconds(occurrence.RememberFor)]
            : [wanted, options, ReaderOf(share)];
    }

    /// <summary>What to release.</summary>
    /// <param name="request">What is asked.</param>
    /// <param name="share">Of what.</param>
    /// <param name="mayHandOver">Whether a grant needs nothing beside the reply, as a replica's confirmation.</param>
    public static RedisValue[] Arguments(ReleaseRequest request, LockShare share, bool mayHandOver)
    {
        var held = Grant(share, request.LeaseDuration ?? TimeSpan.Zero, request.Owner, request.Entry, request.Note, request.Rank);
        var byReply = request.TakesHandover && mayHandOver ? Yes : No;
        RedisValue options = (((byReply * EightDigits) + RequestText.Milliseconds(request.ClaimWindow)) * EightDigits) + RequestText.Milliseconds(request.LockAtLeastFor);
        RedisValue[] arguments = request.Occurrence is { } occurrence
            ? [held, options, ReaderOf(share), RequestText.Microseconds(occurrence.Time), occurrence.Run, request.OccurrenceIsFinished ? 1 : 0]
            : [held, options, ReaderOf(share)];
        return request.Successor is { } successor ? [.. arguments, successor] : arguments;
    }

    /// <summary>What to renew, or to claim.</summary>
    public static RedisValue Renewal(RenewalRequest request, LockShare share) =>
        string.Create(CultureInfo.InvariantCulture, $"{KindOf(share)}{share.Capacity.Permits:D5}{request.FencingToken ?? 0:D16}{RequestText.Milliseconds(request.LeaseDuration):D8}{request.Owner}#{request.ClaimedEntry ?? request.Entry}{RequestText.Rest(request, request.ClaimedEntry ?? request.Entry)}");

    /// <summary>As what a name is used, from what the scripts say.</summary>
    public static LockCapacity CapacityIn(string kind, int permits) => kind switch
    {
        "p" => LockCapacity.Semaphore(permits),
        "w" => LockCapacity.ReaderWriter,
        _ => LockCapacity.Exclusive,
    };

    /// <summary>A share, from the letter that stands for it.</summary>
    /// <param name="kind">The letter.</param>
    /// <param name="permits">How many permits the lock has.</param>
    /// <param name="reader">Of an upgrade, the owner of its read.</param>
    /// <returns>Null for none of this version.</returns>
    public static LockShare? ShareIn(char kind, int permits, string reader) => kind switch
    {
        'p' => LockShare.PermitOf(permits),
        'r' => LockShare.Read,
        'u' => LockShare.UpgradeableRead,
        'w' => LockShare.Write,
        'x' when LockOwner.TryParse(reader, out var owner) => LockShare.UpgradeOf(owner),
        _ => null,
    };

    private static RedisValue Grant(LockShare share, TimeSpan lease, LockOwner owner, long entry, string? note, long rank) =>
        string.Create(CultureInfo.InvariantCulture, $"{KindOf(share)}{share.Capacity.Permits:D5}{RequestText.Milliseconds(lease):D8}{owner.NodeId}/{owner.Sequence}#{entry}{EntryText.Rest(note, rank)}");

    private static RedisValue ReaderOf(LockShare share) => share.Reader is { } reader ? reader.ToString() : RedisValue.EmptyString;

    private static char KindOf(LockShare share) => share.Kind switch
    {
        LockShareKind.Permit => 'p',
        LockShareKind.Read => 'r',
        LockShareKind.UpgradeableRead => 'u',
        LockShareKind.Write => 'w',
        LockShareKind.Upgrade => 'x',
        _ => throw new ArgumentOutOfRangeException(nameof(share), share.Kind, "This is no share of a lock."),
    };
}
