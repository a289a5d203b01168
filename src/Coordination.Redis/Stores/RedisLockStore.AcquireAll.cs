using Coordination.Redis.Errors;
using Coordination.Redis.Scripts;
using Coordination.Stores;
using StackExchange.Redis;

namespace Coordination.Redis.Stores;

/// <content>Several exclusive locks in one step: one script, whose keys are on one slot where there are slots.</content>
internal sealed partial class RedisLockStore
{
    public async Task<IReadOnlyList<AcquireReply>?> TryAcquireAllAsync(IReadOnlyList<AcquireRequest> requests, CancellationToken cancellationToken)
    {
        if (requests.Count == 1)
        {
            return [await AcquireAsync(requests[0], cancellationToken).ConfigureAwait(false)];
        }

        const string action = "acquire several locks, among them";
        if (_replication.IsAsked)
        {
            // Each grant has its own confirmation.
            return null;
        }

        // Slots are known when the connection stands, and then the client refuses keys of several.
        await AskAsync(static (_, _) => Task.FromResult(true), action, requests[0].LockName, Anywhere, cancellationToken).ConfigureAwait(false);
        if (_partitions.AreSlots && requests.Any(request => _partitions.Of(request.LockName) != _partitions.Of(requests[0].LockName)))
        {
            return null;
        }

        RedisKey[] keys = [.. requests.SelectMany(request => _keys.All(request.LockName))];
        RedisValue[] values = [RequestText.Barging(requests[0]), .. requests.Select(static request => RequestText.Arguments(request)[0])];
        try
        {
            var raw = await EvaluateAsync(RedisScript.AcquireAll, keys, values, action, requests[0].LockName, cancellationToken).ConfigureAwait(false);
            return LockReply.AcquireRepliesIn(raw, requests.Count);
        }
        catch (LockStoreException e) when (e.InnerException is RedisServerException refused && IsOfOneByOne(refused))
        {
            // Nothing of it was applied, and each by itself goes through, or says why it does not.
            return null;
        }
    }

    private bool IsOfOneByOne(RedisServerException refused)
    {
        if (RedisErrorClassifier.IsOfSeveralSlots(refused))
        {
            _partitions.LearnOfSlots();
            return true;
        }

        return RedisErrorClassifier.IsOfMove(refused) || RedisErrorClassifier.IsOfAnotherType(refused);
    }
}
