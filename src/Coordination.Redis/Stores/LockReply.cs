using System.Globalization;
using Coordination.Stores;
using StackExchange.Redis;

namespace Coordination.Redis.Stores;

/// <summary>Reads what the scripts reply about a lock.</summary>
internal static class LockReply
{
    /// <summary>So long is a token; everything else that is replied about a lock is longer.</summary>
    private const int TokenLength = 16;

    /// <summary>The reply to a request for a lock; null when something else wrote the key.</summary>
    public static AcquireReply? AcquireReplyIn(RedisResult reply, bool hasOccurrence)
    {
        if (hasOccurrence)
        {
            return reply.Resp2Type == ResultType.Array ? OfOccurrence((RedisResult[])reply!) : null;
        }

        if (reply.Resp2Type == ResultType.Array)
        {
            var rest = (RedisResult[])reply!;
            return Refused(rest[0], (int)rest[1]);
        }

        return reply.Resp2Type == ResultType.BulkString ? TokenIn((RedisValue)reply) is { } token ? AcquireReply.Granted(token) : Refused(reply, 0) : null;
    }

    /// <summary>The replies to a request for several locks; null where one of them is none, or one that several may hold at a time.</summary>
    /// <param name="reply">What the script replied.</param>
    /// <param name="count">How many there are.</param>
    public static AcquireReply[]? AcquireRepliesIn(RedisResult reply, int count)
    {
        var results = (RedisResult[])reply!;
        if (results[0].Resp2Type != ResultType.Array)
        {
            return Array.ConvertAll(results, static token => AcquireReply.Granted((long)token));
        }

        var replies = new AcquireReply[count];
        Array.Fill(replies, new AcquireReply());
        var refused = (RedisResult[])results[0]!;
        if (refused.Length > 1)
        {
            if (refused[1].Resp2Type != ResultType.BulkString || !LockRecord.TryParse((string)refused[1]!, out var record))
            {
                return null;
            }

            replies[(int)refused[0] - 1] = new AcquireReply { Holder = record.Describe() };
        }

        return replies;
    }

    /// <summary>The reply to a release; null when something else wrote the key.</summary>
    /// <param name="reply">What the script replied.</param>
    /// <param name="claimWindow">For how long it was to hand the lock over.</param>
    public static ReleaseReply? ReleaseReplyIn(RedisResult reply, TimeSpan claimWindow)
    {
        if (reply.Resp2Type == ResultType.Array)
        {
            var next = (string[])reply!;
            var end = next[0].LastIndexOf('#');
            return LockOwner.TryParse(next[0][..Math.Max(0, end)], out var owner)
                ? ReleaseReply.Released with
                {
                    NextOwner = owner,
                    Handover = new LockHandover
                    {
                        Entry = long.Parse(EntryText.NumberIn(next[0].AsSpan(end + 1)), NumberStyles.None, CultureInfo.InvariantCulture),
                        FencingToken = long.Parse(next[1], NumberStyles.None, CultureInfo.InvariantCulture),
                        At = DateTimeOffset.UnixEpoch.AddMicroseconds(long.Parse(next[2], NumberStyles.None, CultureInfo.InvariantCulture)),
                        ClaimWindow = claimWindow,
                    },
                }
                : ReleaseReply.Released;
        }

        return (int)reply switch
        {
            -1 => null,
            1 => ReleaseReply.Released,
            2 => ReleaseReply.StillHeldByOwner,
            _ => ReleaseReply.NotHeld,
        };
    }

    /// <summary>A lock with its queue; null when something else wrote the key.</summary>
    public static LockInspection? InspectionIn(string lockName, ReadOnlySpan<RedisResult> reply)
    {
        var text = (string)reply[0]!;
        LockHolder? holder = null;
        if (text.Length > TokenLength)
        {
            if (!LockRecord.TryParse(text, out var record))
            {
                return null;
            }

            holder = record.Describe();
        }

        var now = long.Parse(text.AsSpan(0, TokenLength), NumberStyles.None, CultureInfo.InvariantCulture);
        var waiters = new List<LockWaiter>();
        for (var rest = reply[2..]; rest.Length >= 3; rest = rest[3..])
        {
            // A waiter is owner#entry.
            var waiter = (string)rest[0]!;
            var end = waiter.LastIndexOf('#');
            if (LockOwner.TryParse(waiter[..Math.Max(0, end)], out var owner))
            {
                var waitingFor = TimeSpan.FromMicroseconds(Math.Max(0, now - (long)rest[1]));
                var (note, rank) = EntryText.NoteIn(waiter.AsSpan(end + 1));
                waiters.Add(new LockWaiter { Owner = owner, WaitingFor = waitingFor, IsAlive = (long)rest[2] > now / 1000, Note = note, Rank = rank });
            }
        }

        return new LockInspection { LockName = lockName, Holders = holder is null ? [] : [holder], Waiters = waiters, WaiterCount = (long)reply[1] };
    }

    private static AcquireReply? OfOccurrence(ReadOnlySpan<RedisResult> reply)
    {
        var (fate, run) = ((string?)reply[0], (string?)reply[1]);
        run = run is { Length: > 0 } ? run : null;
        if (reply.Length == 2)
        {
            return AcquireReply.AlreadyRun(run);
        }

        var recovers = fate == "recovering";
        if (reply.Length == 3)
        {
            return AcquireReply.Granted((long)reply[2]) with { OccurrenceStatus = recovers ? OccurrenceStatus.Recovering : OccurrenceStatus.Started, OccurrenceRun = run };
        }

        return Refused(reply[2], (int)reply[3]) is { } refused
            ? refused with { OccurrenceStatus = recovers ? OccurrenceStatus.Running : OccurrenceStatus.None, OccurrenceRun = run }
            : null;
    }

    private static AcquireReply? Refused(RedisResult text, int waitersBefore) =>
        LockRecord.TryParse((string)text!, out var record) && record.Describe() is { } holder ? AcquireReply.Refused(holder, waitersBefore) with { StoreTime = record.Time } : null;

    private static long? TokenIn(RedisValue text) => text.Length() == TokenLength ? (long)text : null;
}
