using System.Runtime.CompilerServices;
using Coordination.Redis.Errors;
using Coordination.Redis.Scripts;
using StackExchange.Redis;

namespace Coordination.Redis.Stores;

/// <summary>
/// Runs the scripts for one lock, and lets requests travel together: while some are under way, those that come meanwhile go with the next one. Where few are
/// made at a time each goes alone and at once; where many are, a reply costs the server, the client and their threads far less than one for each.
/// Not on a Cluster, whose scripts have keys of one slot only.
/// </summary>
internal sealed class LockCalls(LockPartitions partitions)
{
    /// <summary>How many are under way before others wait for the next one.</summary>
    private const int MostUnderWay = 4;

    /// <summary>How many go together: the server does nothing else meanwhile, some 5 µs for each.</summary>
    private const int MostTogether = 32;

    private static readonly RedisResult LeftAlone = RedisResult.Create(RedisValue.Null);

    private readonly Lock _gate = new();
    private readonly Queue<Call> _waiting = new();
    private int _underWay;

    /// <summary>Runs a script alone, or what it asks with others.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<RedisResult> RunAsync(RedisScript script, IDatabase database, RedisKey[] keys, RedisValue[] values, CancellationToken cancellationToken)
    {
        if (Enter(keys, values, cancellationToken) is { } joining)
        {
            var reply = await joining.ConfigureAwait(false);
            if (!reply.IsNull)
            {
                return reply;
            }

            // It takes more than a look at the record.
            cancellationToken.ThrowIfCancellationRequested();
            EnterAlone();
        }

        try
        {
            return await RunAloneAsync(script, database, keys, values, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            End(database);
        }
    }

    /// <summary>Runs a script; by its text where the server does not know it, and without the queue's keys where these are being moved.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public static async ValueTask<RedisResult> RunAloneAsync(RedisScript script, IDatabase database, RedisKey[] keys, RedisValue[] values, CancellationToken cancellationToken)
    {
        try
        {
            return await script.EvaluateAsync(database, keys, values).ConfigureAwait(false);
        }
        catch (RedisServerException unknown) when (RedisScript.IsUnknown(unknown))
        {
            // Nothing of it was applied. An acquisition that is sent after its undo would be a grant that nobody has.
            cancellationToken.ThrowIfCancellationRequested();
            return await script.SendAsync(database, keys, values).ConfigureAwait(false);
        }
        catch (RedisServerException moving) when (keys.Length == LockKeys.WithQueue && RedisErrorClassifier.IsOfMove(moving))
        {
            // Nothing of it was applied. The lock's record is served, and mostly is all that is needed.
            cancellationToken.ThrowIfCancellationRequested();
            return await script.RunAsync(database, keys[..1], values, ConfigureAwaitOptions.None, CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <returns>Null when it is to go alone now; else its reply, which is null where it was left to the script for one lock.</returns>
    private Task<RedisResult>? Enter(RedisKey[] keys, RedisValue[] values, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_underWay < MostUnderWay)
            {
                _underWay++;
                return null;
            }

            var call = new Call(keys, values, cancellationToken);
            _waiting.Enqueue(call);
            return call.Task;
        }
    }

    private void EnterAlone()
    {
        lock (_gate)
        {
            _underWay++;
        }
    }

    /// <summary>One that was under way has ended: those that came meanwhile go now.</summary>
    private void End(IDatabase database)
    {
        List<Call>? together = null;
        lock (_gate)
        {
            while (_waiting.Count > 0 && (together?.Count ?? 0) < MostTogether)
            {
                (together ??= []).Add(_waiting.Dequeue());
            }

            if (together is null)
            {
                _underWay--;
                return;
            }
        }

        _ = SendAsync(database, together);
    }

    private async Task SendAsync(IDatabase database, List<Call> calls)
    {
        // What was cancelled before it was sent is not sent later: it may have been undone meanwhile.
        calls.RemoveAll(static call => call.IsCancelled());
        RedisResult[]? replies = null;
        Exception? failure = null;
        try
        {
            if (calls.Count > 0)
            {
                var keys = new RedisKey[LockKeys.WithQueue * calls.Count];
                var values = new RedisValue[2 * calls.Count];
                for (var i = 0; i < calls.Count; i++)
                {
                    calls[i].Keys.CopyTo(keys, LockKeys.WithQueue * i);
                    (values[2 * i], values[(2 * i) + 1]) = (calls[i].Values[0], calls[i].Values[1]);
                }

                replies = (RedisResult[])(await RedisScript.Joined.RunAsync(database, keys, values, ConfigureAwaitOptions.None, CancellationToken.None).ConfigureAwait(false))!;
            }
        }
        catch (RedisServerException refused) when (RedisErrorClassifier.IsOfSeveralSlots(refused))
        {
            // Nothing of it was applied. From here on the slots are known, and each goes alone.
            partitions.LearnOfSlots();
        }
        catch (Exception e)
        {
            // Whatever it was is each call's own, which knows what to make of it.
            failure = e;
        }

        End(database);
        for (var i = 0; i < calls.Count; i++)
        {
            if (failure is null)
            {
                calls[i].TrySetResult(replies is null ? LeftAlone : replies[i]);
            }
            else
            {
                calls[i].TrySetException(failure);
            }
        }
    }

    /// <summary>One of those that go together. Its caller goes on by itself, and holds up no other.</summary>
    private sealed class Call(RedisKey[] keys, RedisValue[] values, CancellationToken cancellationToken)
        : TaskCompletionSource<RedisResult>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public RedisKey[] Keys => keys;

        public RedisValue[] Values => values;

        public bool IsCancelled() => cancellationToken.IsCancellationRequested && TrySetCanceled(cancellationToken);
    }
}
