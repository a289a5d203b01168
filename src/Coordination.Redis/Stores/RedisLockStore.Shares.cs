using Coordination.Redis.Errors;
using Coordination.Redis.Scripts;
using Coordination.Stores;
using StackExchange.Redis;

namespace Coordination.Redis.Stores;

/// <content>
/// Locks that several may hold at a time. They have a hash where an exclusive lock has a string, so the server itself refuses a request of the one kind for a lock of the
/// other: an exclusive lock pays nothing for that.
/// </content>
internal sealed partial class RedisLockStore
{
    /// <summary>How often a request looks again whether the name is free for it.</summary>
    private const int MostTurns = 5;

    private async Task<AcquireReply> AcquireShareAsync(AcquireRequest request, LockShare share, CancellationToken cancellationToken)
    {
        const string action = "acquire the lock";
        var raw = await EvaluateAsync(
            RedisScript.ShareAcquire, KeysOf(request.LockName, request.Occurrence), ShareText.Arguments(request, share), action, request.LockName, cancellationToken).ConfigureAwait(false);
        return ShareReply.AcquireReplyIn(raw, share) ?? throw Foreign(action, request.LockName);
    }

    private async Task<AcquireReply> AcquireExclusiveAsync(AcquireRequest request, CancellationToken cancellationToken)
    {
        const string action = "acquire the lock";
        for (var turn = 1; ; turn++)
        {
            var (raw, foreign) = await OrForeignAsync(EvaluateAsync(
                RedisScript.Acquire, KeysOf(request.LockName, request.Occurrence), RequestText.Arguments(request), action, request.LockName, cancellationToken)).ConfigureAwait(false);
            if (raw is not null && LockReply.AcquireReplyIn(raw, hasOccurrence: request.Occurrence is not null) is { } reply)
            {
                return reply;
            }

            // Something else than an exclusive lock: one that others use in another way, or did. Where nobody does any more, it is this request's, unless one of them is faster.
            var use = await EvaluateAsync(RedisScript.Settle, _keys.All(request.LockName), [], action, request.LockName, cancellationToken).ConfigureAwait(false);
            if (use.Resp2Type == ResultType.Array && (RedisResult[])use! is [var kind, var permits])
            {
                return new AcquireReply { InUseAs = ShareText.CapacityIn((string)kind!, (int)permits) };
            }

            if ((int)use != 1)
            {
                throw foreign ?? Foreign(action, request.LockName);
            }

            if (turn == MostTurns)
            {
                throw new LockStoreException(
                    $"Cannot {action} '{request.LockName}' now: others use the name as another kind of lock, again and again. Use one name in one way.", isTransient: true)
                { MayBeApplied = false };
            }
        }
    }

    private async Task<ReleaseReply> ReleaseShareAsync(ReleaseRequest request, LockShare share)
    {
        const string action = "release the lock";
        var reply = await EvaluateAsync(
            RedisScript.ShareRelease,
            KeysOf(request.LockName, request.Occurrence),
            ShareText.Arguments(request, share, mayHandOver: !_replication.IsAsked),
            action,
            request.LockName,
            HasToBeSent).ConfigureAwait(false);
        return ShareReply.ReleaseReplyIn(reply, share, request.ClaimWindow) ?? throw Foreign(action, request.LockName);
    }

    private async Task<ReleaseReply> ReleaseExclusiveAsync(ReleaseRequest request)
    {
        const string action = "release the lock";
        var (reply, foreign) = await OrForeignAsync(EvaluateAsync(
            RedisScript.Release,
            KeysOf(request.LockName, request.Occurrence),
            RequestText.Arguments(request, mayHandOver: !_replication.IsAsked),
            action,
            request.LockName,
            HasToBeSent)).ConfigureAwait(false);
        if (reply is not null && LockReply.ReleaseReplyIn(reply, request.ClaimWindow) is { } released)
        {
            return released;
        }

        // Lost, and used in another way meanwhile; or something else wrote the key.
        var other = await EvaluateAsync(RedisScript.ShareInspect, _keys.All(request.LockName), [0], action, request.LockName, HasToBeSent).ConfigureAwait(false);
        return ShareReply.InspectionIn(request.LockName, other) is not null ? ReleaseReply.NotHeld : throw foreign ?? Foreign(action, request.LockName);
    }

    /// <summary>Renews locks of both kinds, which have a script each, at the same time; or claims a share.</summary>
    private async Task<RedisResult[]> RenewSharesAsync(IConnectionMultiplexer connection, IReadOnlyList<RenewalRequest> requests, CancellationToken cancellationToken)
    {
        var shares = requests.Where(static request => request.Share is not null).ToArray();
        var script = shares is [{ ClaimedEntry: not null }] ? RedisScript.ShareClaim : RedisScript.ShareRenew;
        var keys = script == RedisScript.ShareClaim ? _keys.All(shares[0].LockName) : Array.ConvertAll(shares, request => _keys.Lock(request.LockName));
        var values = Array.ConvertAll(shares, static request => ShareText.Renewal(request, request.Share!));
        var others = requests.Where(static request => request.Share is null).ToArray();
        var ofOthers = others.Length == 0 ? null : RenewAsync(connection, others, cancellationToken);
        try
        {
            var reply = await script.RunAsync(connection.GetDatabase(_database), keys, values, OnWatchdog, cancellationToken).ConfigureAwait(OnWatchdog);
            RedisResult[] ofShares = script == RedisScript.ShareClaim ? [reply] : (RedisResult[])reply!;
            var rest = ofOthers is null ? [] : await ofOthers.ConfigureAwait(OnWatchdog);
            var (share, other) = (0, 0);
            return [.. requests.Select(request => request.Share is null ? rest[other++] : ofShares[share++])];
        }
        catch (RedisServerException refused) when (RedisErrorClassifier.IsOfSeveralSlots(refused))
        {
            _partitions.LearnOfSlots();
            throw Regrouping(requests, refused);
        }
        finally
        {
            // Whatever came of the shares, this has an end that somebody sees.
            if (ofOthers is not null)
            {
                await ((Task)ofOthers).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | OnWatchdog);
            }
        }
    }

    /// <summary>The reply of a script for an exclusive lock; or that the key is of another type, which a lock that several may hold is as well.</summary>
    private static async Task<(RedisResult? Reply, LockStoreException? Foreign)> OrForeignAsync(ValueTask<RedisResult> running)
    {
        try
        {
            return (await running.ConfigureAwait(false), null);
        }
        catch (LockStoreException foreign) when (foreign.InnerException is RedisServerException refused && RedisErrorClassifier.IsOfAnotherType(refused))
        {
            return (null, foreign);
        }
    }
}
