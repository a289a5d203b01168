using Coordination.Redis.Connections;
using Coordination.Redis.Scripts;
using Coordination.Stores;
using StackExchange.Redis;

namespace Coordination.Redis.Stores;

/// <content>What operators ask. An exclusive lock is asked for first; where the key is no such record, a lock that several may hold.</content>
internal sealed partial class RedisLockStore
{
    public async Task<LockHolder?> GetHolderAsync(string lockName, CancellationToken cancellationToken)
    {
        const string action = "look at the lock";
        var (reply, foreign) = await OrForeignAsync(EvaluateAsync(RedisScript.Holder, [_keys.Lock(lockName)], [], action, lockName, cancellationToken)).ConfigureAwait(false);
        if (foreign is null && (string?)reply is var text && (string.IsNullOrEmpty(text) || LockRecord.TryParse(text, out _)))
        {
            return LockRecord.TryParse(text ?? string.Empty, out var record) ? record.Describe() : null;
        }

        return (await InspectSharesAsync(lockName, maxWaiters: 0, action, foreign, cancellationToken).ConfigureAwait(false)).Holder;
    }

    public async Task<LockInspection> InspectAsync(string lockName, int maxWaiters, CancellationToken cancellationToken)
    {
        const string action = "inspect the lock";
        var (reply, foreign) = await OrForeignAsync(EvaluateAsync(RedisScript.Inspect, _keys.All(lockName), [maxWaiters], action, lockName, cancellationToken)).ConfigureAwait(false);
        return (reply is null ? null : LockReply.InspectionIn(lockName, (RedisResult[])reply!))
            ?? await InspectSharesAsync(lockName, maxWaiters, action, foreign, cancellationToken).ConfigureAwait(false);
    }

    public Task<LockPage> ListAsync(string? cursor, CancellationToken cancellationToken) =>
        AskAsync(
            (connection, token) => _scan.ReadAsync(connection, cursor).OrCancelledAsync(Anywhere, token),
            "list the locks",
            lockName: null,
            Anywhere,
            cancellationToken);

    public async Task<bool> RevokeAsync(string lockName, long fencingToken, TimeSpan claimWindow, CancellationToken cancellationToken)
    {
        const string action = "revoke the lock";
        RedisValue[] values = [RequestText.Token(fencingToken), RequestText.Milliseconds(claimWindow)];
        var (reply, foreign) = await OrForeignAsync(EvaluateAsync(RedisScript.Revoke, _keys.All(lockName), values, action, lockName, cancellationToken)).ConfigureAwait(false);
        if (reply is null || (int)reply < 0)
        {
            reply = await EvaluateAsync(RedisScript.ShareRevoke, _keys.All(lockName), values, action, lockName, cancellationToken).ConfigureAwait(false);
        }

        return (int)reply >= 0 ? (int)reply == 1 : throw foreign ?? Foreign(action, lockName);
    }

    public async Task<bool> AskToStepDownAsync(string lockName, long fencingToken, StepDownRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        const string action = "ask the holder to step down of the lock";
        RedisValue[] values = [RequestText.Token(fencingToken), RequestText.Milliseconds(request.StayAway), request.Successor ?? RedisValue.EmptyString, request.Call];
        var reply = await EvaluateAsync(RedisScript.StepDown, [_keys.Lock(lockName)], values, action, lockName, cancellationToken).ConfigureAwait(false);
        return (int)reply >= 0 ? (int)reply == 1 : throw Foreign(action, lockName);
    }

    public async Task<bool> ForgetOccurrenceAsync(string lockName, string series, CancellationToken cancellationToken)
    {
        // By DEL, which the scripts use as well: the client's own command is UNLINK, which a user may have no right to.
        var deleted = await AskAsync(
            (connection, token) => connection.GetDatabase(_database).ExecuteAsync("DEL", [_keys.Occurrence(lockName, series)], RedisScript.OnPrimary).OrCancelledAsync(Anywhere, token),
            "forget the last occurrence of the lock",
            lockName,
            Anywhere,
            cancellationToken).ConfigureAwait(false);
        return (int)deleted == 1;
    }

    /// <summary>By a write of what is gone in a millisecond: a server that is out of memory, or that takes no writes, replies to a PING all the same.</summary>
    public async Task PingAsync(CancellationToken cancellationToken) =>
        await AskAsync(
            (connection, token) => connection.GetDatabase(_database).ExecuteAsync("SET", [_keys.Nothing, "", "PX", 1], RedisScript.OnPrimary).OrCancelledAsync(Anywhere, token),
            "take a write",
            lockName: null,
            Anywhere,
            cancellationToken).ConfigureAwait(false);

    private async Task<LockInspection> InspectSharesAsync(string lockName, int maxWaiters, string action, LockStoreException? foreign, CancellationToken cancellationToken)
    {
        var reply = await EvaluateAsync(RedisScript.ShareInspect, _keys.All(lockName), [maxWaiters], action, lockName, cancellationToken).ConfigureAwait(false);
        return ShareReply.InspectionIn(lockName, reply) ?? throw foreign ?? Foreign(action, lockName);
    }
}
