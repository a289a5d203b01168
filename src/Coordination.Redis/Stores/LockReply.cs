using System.Globalization;
using Coordination.Stores;
using StackExchange.Redis;

namespace Coordination.Redis.Stores;

/// <summary>Reads what the scripts reply about a lock.</summary>
internal static class LockReply
{
    /// <summary>Owner, token, since, time to live and whether it was released; null when something else wrote the key.</summary>
    public static LockHolder? HolderIn(ReadOnlySpan<RedisResult> reply) =>
        reply.Length >= 5
        && LockOwner.TryParse((string?)reply[0], out var owner)
        && long.TryParse((string?)reply[1], CultureInfo.InvariantCulture, out var token)
        && long.TryParse((string?)reply[2], CultureInfo.InvariantCulture, out var since)
            ? new LockHolder
            {
                Owner = owner,
                FencingToken = token,
                Since = DateTimeOffset.UnixEpoch.AddMicroseconds(since),
                TimeToLive = TimeSpan.FromMilliseconds(Math.Max(0, (long)reply[3])),
                IsReleased = (int)reply[4] == 1,
            }
            : null;

    /// <summary>The reply to a request for a lock; null when something else wrote the key.</summary>
    public static AcquireReply? AcquireReplyIn(RedisResult reply, bool hasOccurrence)
    {
        if (reply.Resp2Type != ResultType.Array)
        {
            return (long)reply is var token and >= 0 ? AcquireReply.Granted(token) : null;
        }

        ReadOnlySpan<RedisResult> rest = (RedisResult[])reply!;
        if (!hasOccurrence)
        {
            return HolderIn(rest) is { } holder ? AcquireReply.Refused(holder, (int)rest[5]) : null;
        }

        var (fate, run) = ((string?)rest[0], (string?)rest[1]);
        run = run is { Length: > 0 } ? run : null;
        rest = rest[2..];
        if (rest.Length == 0)
        {
            return AcquireReply.AlreadyRun(run);
        }

        var recovers = fate == "recovering";
        if (rest.Length == 1)
        {
            return AcquireReply.Granted((long)rest[0]) with { OccurrenceStatus = recovers ? OccurrenceStatus.Recovering : OccurrenceStatus.Started, OccurrenceRun = run };
        }

        return HolderIn(rest) is { } other
            ? AcquireReply.Refused(other, (int)rest[5]) with { OccurrenceStatus = recovers ? OccurrenceStatus.Running : OccurrenceStatus.None, OccurrenceRun = run }
            : null;
    }

    /// <summary>A lock with its queue; null when something else wrote the key.</summary>
    public static LockInspection? InspectionIn(string lockName, ReadOnlySpan<RedisResult> reply)
    {
        if (reply.Length < 7)
        {
            return null;
        }

        var isFree = ((string?)reply[2])?.Length == 0;
        var holder = isFree ? null : HolderIn(reply[2..7]);
        if (holder is null && !isFree)
        {
            return null;
        }

        var now = (long)reply[0];
        var waiters = new List<LockWaiter>();
        for (var rest = reply[7..]; rest.Length >= 3; rest = rest[3..])
        {
            // A waiter is owner#entry.
            var waiter = (string)rest[0]!;
            if (LockOwner.TryParse(waiter[..Math.Max(0, waiter.LastIndexOf('#'))], out var owner))
            {
                var waitingFor = TimeSpan.FromMicroseconds(Math.Max(0, now - (long)rest[1]));
                waiters.Add(new LockWaiter { Owner = owner, WaitingFor = waitingFor, IsAlive = (long)rest[2] > now / 1000 });
            }
        }

        return new LockInspection { LockName = lockName, Holder = holder, Waiters = waiters, WaiterCount = (long)reply[1] };
    }
}
