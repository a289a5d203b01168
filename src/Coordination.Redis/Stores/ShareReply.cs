using System.Globalization;
using Coordination.Stores;
using StackExchange.Redis;

namespace Coordination.Redis.Stores;

/// <summary>Reads what the scripts reply about a lock that several may hold at a time.</summary>
internal static class ShareReply
{
    private const int TokenLength = 16;
    private const int CapacityLength = 6;

    /// <summary>The reply to a request for a share; null when something else wrote the key.</summary>
    public static AcquireReply? AcquireReplyIn(RedisResult reply, LockShare share)
    {
        if (reply.Resp2Type == ResultType.BulkString)
        {
            var text = (string)reply!;
            return AcquireReply.Granted(Number(text.AsSpan(0, TokenLength))) with { Permit = PermitOf(share, Number(text.AsSpan(TokenLength))) };
        }

        if (reply.Resp2Type != ResultType.Array)
        {
            return null;
        }

        var parts = (RedisResult[])reply!;
        return (string)parts[0]! switch
        {
            "granted" => AcquireReply.Granted((long)parts[3]) with { Permit = PermitOf(share, (long)parts[4]), OccurrenceStatus = StatusIn(parts[1], isGranted: true), OccurrenceRun = RunIn(parts[2]) },
            "run" => AcquireReply.AlreadyRun(RunIn(parts[1])),
            "used" => new AcquireReply { InUseAs = ShareText.CapacityIn((string)parts[1]!, (int)parts[2]) },
            "reader" => new AcquireReply { HasNothingToUpgrade = true },
            "held" => Refused(parts, share),
            _ => null,
        };
    }

    /// <summary>The reply to a release; null when something else wrote the key.</summary>
    public static ReleaseReply? ReleaseReplyIn(RedisResult reply, LockShare share, TimeSpan claimWindow)
    {
        var released = LockReply.ReleaseReplyIn(reply, claimWindow);
        return released is { Handover: { } handover }
            ? released with { Handover = handover with { Permit = PermitOf(share, (long)((RedisResult[])reply!)[3]) } }
            : released;
    }

    /// <summary>A lock with its holders and its queue; null when it is no lock that several may hold.</summary>
    public static LockInspection? InspectionIn(string lockName, RedisResult reply)
    {
        if (reply.Resp2Type != ResultType.Array)
        {
            return null;
        }

        var parts = (RedisResult[])reply!;
        var text = (string)parts[0]!;
        var now = Number(text.AsSpan(0, TokenLength));
        var (kind, permits) = (text.Substring(TokenLength, 1), (int)Number(text.AsSpan(TokenLength + 1, CapacityLength - 1)));
        var listed = (int)parts[2];
        var waiters = new List<LockWaiter>();
        for (var at = 3; at < 3 + (4 * listed); at += 4)
        {
            // A waiter is owner#entry.
            var waiter = (string)parts[at]!;
            var wanted = (string)parts[at + 3]!;
            var end = waiter.LastIndexOf('#');
            if (LockOwner.TryParse(waiter[..Math.Max(0, end)], out var owner))
            {
                var (note, rank) = EntryText.NoteIn(waiter.AsSpan(end + 1));
                var arrival = (long)parts[at + 1] * (wanted[0] == 'x' ? 1000 : 1);
                waiters.Add(new LockWaiter
                {
                    Owner = owner,
                    WaitingFor = TimeSpan.FromMicroseconds(Math.Max(0, now - arrival)),
                    IsAlive = (long)parts[at + 2] > now / 1000,
                    Share = ShareText.ShareIn(wanted[0], permits, wanted[1..]),
                    Note = note,
                    Rank = rank,
                });
            }
        }

        var holders = new List<LockHolder>();
        for (var at = 3 + (4 * listed); at + 1 < parts.Length; at += 2)
        {
            if (ShareGrantText.Describe((string)parts[at]!, (string)parts[at + 1]!, permits, now) is { } holder)
            {
                holders.Add(holder);
            }
        }

        holders.Sort(static (one, other) => one.FencingToken.CompareTo(other.FencingToken));
        var isUsed = holders.Count > 0 || waiters.Exists(static waiter => waiter.IsAlive);
        return new LockInspection
        {
            LockName = lockName,
            Capacity = isUsed ? ShareText.CapacityIn(kind, permits) : LockCapacity.Exclusive,
            Holders = holders,
            Waiters = waiters,
            WaiterCount = (long)parts[1],
        };
    }

    private static AcquireReply? Refused(RedisResult[] parts, LockShare share)
    {
        var now = (long)parts[3];
        return ShareGrantText.Describe((string)parts[4]!, (string)parts[5]!, share.Capacity.Permits, now) is { } holder
            ? AcquireReply.Refused(holder, (int)parts[7]) with
            {
                StoreTime = DateTimeOffset.UnixEpoch.AddMicroseconds(now),
                LastToken = (long)parts[6],
                OccurrenceStatus = StatusIn(parts[1], isGranted: false),
                OccurrenceRun = RunIn(parts[2]),
            }
            : null;
    }

    private static OccurrenceStatus StatusIn(RedisResult fate, bool isGranted) => ((string?)fate, isGranted) switch
    {
        ("recovering", true) => OccurrenceStatus.Recovering,
        ("recovering", false) => OccurrenceStatus.Running,
        (_, true) => OccurrenceStatus.Started,
        _ => OccurrenceStatus.None,
    };

    private static string? RunIn(RedisResult run) => (string?)run is { Length: > 0 } known ? known : null;

    private static int? PermitOf(LockShare share, long permit) => share.Kind == LockShareKind.Permit ? (int)permit : null;

    private static long Number(ReadOnlySpan<char> digits) => long.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture);
}
