using System.Diagnostics;
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
/// <param name="partitions">Whether the server tells slots apart.</param>
/// <param name="joined">The script for several requests.</param>
/// <param name="keysEach">How many of a request's keys it has.</param>
internal sealed class LockCalls(LockPartitions partitions, RedisScript joined, int keysEach)
{
    /// <summary>How many are under way at least before others wait for the next one.</summary>
    private const int FewestUnderWay = 4;

    private const int MostUnderWay = 256;

    /// <summary>
    /// How long a request waits for the next one to go, with what is under way spread evenly over a round trip: the longer the way to the server, the more are under way, for a
    /// wait for a reply would be a good part of a round trip.
    /// </summary>
    private static readonly double LongestWait = Stopwatch.Frequency * 0.000_25;

    /// <summary>How much of what is known of the round trip stays when one more is seen.</summary>
    private const double Memory = 15.0 / 16;

    /// <summary>How many go together: the server does nothing else meanwhile, some 5 µs for each.</summary>
    private const int MostTogether = 32;

    private static readonly RedisResult LeftAlone = RedisResult.Create(RedisValue.Null);

    private static readonly Task<RedisResult> Nothing = Task.FromResult(RedisResult.Create(Array.Empty<RedisResult>()));

    /// <summary>
    /// Also the order of what is sent. A caller that leaves has cancelled its request before it undoes it, and the undo passes this lock before it is sent: so what may
    /// be sent late is looked at and sent in one step under it, and is sent before its undo, or not at all.
    /// </summary>
    private readonly Lock _gate = new();
    private readonly Queue<Call> _waiting = new();
    private int _underWay;

    /// <summary>As of late; in ticks of the stopwatch.</summary>
    private double _roundTrip;

    /// <summary>Runs a script alone, or what it asks with others.</summary>
    /// <param name="script">The script for one lock.</param>
    /// <param name="database">Where to run it.</param>
    /// <param name="keys">KEYS.</param>
    /// <param name="values">ARGV.</param>
    /// <param name="mayJoin">Whether it may go with others.</param>
    /// <param name="isLate">Whether its caller may have left already.</param>
    /// <param name="cancellationToken">Ends it for as long as it has not been sent.</param>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<RedisResult> RunAsync(
        RedisScript script, IDatabase database, RedisKey[] keys, RedisValue[] values, bool mayJoin, bool isLate, CancellationToken cancellationToken)
    {
        if (mayJoin && Enter(database, keys, values, cancellationToken) is { } joining)
        {
            var reply = await joining.ConfigureAwait(false);
            if (!reply.IsNull)
            {
                return reply;
            }

            // It takes more than a look at the record.
            isLate = true;
            EnterAlone();
        }

        var sentAt = Stopwatch.GetTimestamp();
        try
        {
            return await Send(script, database, keys, values, isLate, cancellationToken).ConfigureAwait(false);
        }
        catch (RedisServerException refused) when (FindOtherWay(refused, keys) is { } way)
        {
            return await RunAgainAsync(script, database, keys, values, way, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            if (mayJoin && End(sentAt) is { } together)
            {
                _ = RunTogetherAsync(together);
            }
        }
    }

    /// <summary>Runs a script that was refused, in another way: by its text where the server does not know it, and without the queue's keys where these are being moved.</summary>
    private async Task<RedisResult> RunAgainAsync(
        RedisScript script, IDatabase database, RedisKey[] keys, RedisValue[] values, OtherWay way, CancellationToken cancellationToken)
    {
        while (true)
        {
            // Nothing of it was applied. While a slot is moved the lock's record is served, and mostly is all that is needed.
            keys = way == OtherWay.WithoutQueue ? keys[..1] : keys;
            try
            {
                return await SendInTurn(script, database, keys, values, byText: way == OtherWay.ByText, cancellationToken).ConfigureAwait(false);
            }
            catch (RedisServerException refused) when (FindOtherWay(refused, keys) is { } other && other != way)
            {
                way = other;
            }
        }
    }

    private static OtherWay? FindOtherWay(RedisServerException refused, RedisKey[] keys) =>
        RedisScript.IsUnknown(refused) ? OtherWay.ByText
        : keys.Length == LockKeys.WithQueue && RedisErrorClassifier.IsOfMove(refused) ? OtherWay.WithoutQueue
        : null;

    private Task<RedisResult> Send(RedisScript script, IDatabase database, RedisKey[] keys, RedisValue[] values, bool isLate, CancellationToken cancellationToken) =>
        isLate ? SendInTurn(script, database, keys, values, byText: false, cancellationToken) : script.EvaluateAsync(database, keys, values);

    private Task<RedisResult> SendInTurn(RedisScript script, IDatabase database, RedisKey[] keys, RedisValue[] values, bool byText, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return byText ? script.SendAsync(database, keys, values) : script.EvaluateAsync(database, keys, values);
        }
    }

    /// <returns>Null when it is to go alone now; else its reply, which is null where it was left to the script for one lock.</returns>
    private Task<RedisResult>? Enter(IDatabase database, RedisKey[] keys, RedisValue[] values, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_underWay < FewestUnderWay || (_underWay < MostUnderWay && _underWay * LongestWait < _roundTrip))
            {
                _underWay++;
                return null;
            }

            var call = new Call(database, keys, values, cancellationToken);
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

    /// <summary>One that was under way has ended.</summary>
    /// <returns>Those that came meanwhile, which go now; null for none.</returns>
    private List<Call>? End(long sentAt)
    {
        List<Call>? together = null;
        lock (_gate)
        {
            _roundTrip = (Memory * _roundTrip) + ((1 - Memory) * (Stopwatch.GetTimestamp() - sentAt));
            while (_waiting.Count > 0 && (together?.Count ?? 0) < MostTogether)
            {
                var call = _waiting.Dequeue();
                if (!call.IsCancelled())
                {
                    (together ??= []).Add(call);
                }
            }

            if (together is null)
            {
                _underWay--;
            }
        }

        return together;
    }

    /// <summary>Runs those that go together, and then those that came meanwhile, for as long as there are any.</summary>
    private async Task RunTogetherAsync(List<Call>? calls)
    {
        var sentAt = Stopwatch.GetTimestamp();
        for (var running = RunJoinedAsync(calls!); calls is not null;)
        {
            RedisResult[]? replies = null;
            Exception? failure = null;
            try
            {
                replies = await running.ConfigureAwait(false);
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

            // The next ones go before these hear of their replies.
            var next = End(sentAt);
            sentAt = Stopwatch.GetTimestamp();
            running = next is null ? running : RunJoinedAsync(next);
            PassOn(calls, replies, failure);
            calls = next;
        }
    }

    private static void PassOn(List<Call> calls, RedisResult[]? replies, Exception? failure)
    {
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

    private async Task<RedisResult[]> RunJoinedAsync(List<Call> calls)
    {
        try
        {
            return (RedisResult[])(await SendWanted(calls, byText: false).ConfigureAwait(false))!;
        }
        catch (RedisServerException unknown) when (RedisScript.IsUnknown(unknown))
        {
            // Nothing of it was applied.
            return (RedisResult[])(await SendWanted(calls, byText: true).ConfigureAwait(false))!;
        }
    }

    /// <summary>Sends those that are still wanted; the others leave the list.</summary>
    private Task<RedisResult> SendWanted(List<Call> calls, bool byText)
    {
        lock (_gate)
        {
            calls.RemoveAll(static call => call.IsCancelled());
            if (calls.Count == 0)
            {
                return Nothing;
            }

            var keys = new RedisKey[keysEach * calls.Count];
            var values = new RedisValue[2 * calls.Count];
            for (var i = 0; i < calls.Count; i++)
            {
                calls[i].Keys.AsSpan(0, keysEach).CopyTo(keys.AsSpan(keysEach * i));
                (values[2 * i], values[(2 * i) + 1]) = (calls[i].Values[0], calls[i].Values[1]);
            }

            // Of the newest: a connection may have been replaced meanwhile.
            var database = calls[^1].Database;
            return byText ? joined.SendAsync(database, keys, values) : joined.EvaluateAsync(database, keys, values);
        }
    }

    private enum OtherWay
    {
        ByText,
        WithoutQueue,
    }

    /// <summary>One of those that go together. Its caller goes on by itself, and holds up no other.</summary>
    private sealed class Call(IDatabase database, RedisKey[] keys, RedisValue[] values, CancellationToken cancellationToken)
        : TaskCompletionSource<RedisResult>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public IDatabase Database => database;

        public RedisKey[] Keys => keys;

        public RedisValue[] Values => values;

        public bool IsCancelled() => cancellationToken.IsCancellationRequested && TrySetCanceled(cancellationToken);
    }
}
