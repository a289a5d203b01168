using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Coordination.Redis.Connections;
using Coordination.Redis.Errors;
using Coordination.Redis.Probing;
using Coordination.Redis.Scripts;
using Coordination.Stores;
using StackExchange.Redis;

namespace Coordination.Redis.Stores;

/// <summary>Locks kept by Redis, Valkey or Garnet: one script for each operation, each atomic on the server.</summary>
internal sealed class RedisLockStore : ILockStore, ILockStoreAdministration
{
    /// <summary>Where the code goes on after a wait, nearly everywhere: wherever there is a thread.</summary>
    private const ConfigureAwaitOptions Anywhere = ConfigureAwaitOptions.None;

    /// <summary>
    /// Where a renewal goes on. The watchdog calls on a thread of its own, to which its synchronization context leads back; there
    /// a renewal keeps its time when the thread pool is exhausted.
    /// </summary>
    private const ConfigureAwaitOptions OnWatchdog = ConfigureAwaitOptions.ContinueOnCapturedContext;

    private readonly RedisConnection _connection;
    private readonly LockKeys _keys;
    private readonly LockScan _scan;
    private readonly Replication _replication;
    private readonly int _database;
    private readonly SharedAttempt<bool>? _fitness;
    private volatile bool _isFit;

    /// <param name="connection">The server.</param>
    /// <param name="options">The prefix, the database, and the replicas to wait for.</param>
    /// <param name="probe">Finds out, once, whether the server can keep locks; null to take it for granted.</param>
    public RedisLockStore(RedisConnection connection, RedisStoreOptions options, ServerProbe? probe)
    {
        _connection = connection;
        _keys = new LockKeys(options.KeyPrefix);
        _database = options.Database ?? -1;
        _scan = new LockScan(_keys, _database);
        _replication = new Replication(options.ReplicasToWaitFor, options.ReplicationTimeout);
        _fitness = probe is null ? null : new SharedAttempt<bool>(() => probe.ExamineAsync(connection));
    }

    public string Name => "redis";

    /// <summary>Finds out now whether the server is there and can keep locks, as the first operation would.</summary>
    /// <exception cref="LockStoreException">It is away (transient), or it cannot (final).</exception>
    public Task EnsureFitAsync(CancellationToken cancellationToken) =>
        AskAsync(static (_, _) => Task.FromResult(true), "examine the server", lockName: null, Anywhere, cancellationToken);

    public async Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken)
    {
        RedisValue[] values =
        [
            request.Owner.ToString(),
            request.Entry,
            Milliseconds(request.LeaseDuration),
            request.Wait ? 1 : 0,
            Milliseconds(request.ClaimWindow),
            request.AllowBarging ? 1 : 0,
        ];
        var reply = await EvaluateAsync(
            RedisScript.Acquire,
            KeysOf(request.LockName, request.Occurrence),
            request.Occurrence is { } occurrence ? [.. values, Microseconds(occurrence.Time), occurrence.Run, occurrence.Recover ? 1 : 0, Milliseconds(occurrence.RememberFor)] : values,
            "acquire the lock",
            request.LockName,
            cancellationToken).ConfigureAwait(false);
        var answer = LockReply.AnswerIn(reply, isForFire: request.Occurrence is not null) ?? throw Foreign("acquire the lock", request.LockName);
        if (!answer.IsGranted)
        {
            return answer;
        }

        if (_replication.IsAsked)
        {
            await AskAsync(
                (connection, token) => _replication.ConfirmAsync(connection, _keys.Lock(request.LockName)).OrCancelledAsync(Anywhere, token),
                "have replicas confirm the grant of the lock",
                request.LockName,
                Anywhere,
                cancellationToken).ConfigureAwait(false);
        }

        return answer;
    }

    /// <summary>On a Cluster the slot, for each master may be away alone; elsewhere one for all.</summary>
    public int PartitionOf(string lockName) =>
        _connection.Established is { } connection && ClusterSlot.Matters(connection) ? ClusterSlot.Of(lockName) : 0;

    public async Task<IReadOnlyList<RenewalReply>> RenewAsync(IReadOnlyList<RenewalRequest> requests, CancellationToken cancellationToken)
    {
        var replies = new RenewalReply[requests.Count];
        await AskAsync(
            async (connection, token) =>
            {
                // On a Cluster a script has the keys of one slot; elsewhere one script has them all.
                var bySlot = ClusterSlot.Matters(connection);
                var chunks = Enumerable.Range(0, requests.Count)
                    .GroupBy(index => bySlot ? ClusterSlot.Of(requests[index].LockName) : 0)
                    .Select(chunk => chunk.ToArray())
                    .Select(chunk => (Chunk: chunk, Renewal: RenewAsync(connection, requests, chunk, token)))
                    .ToArray();

                // All are on their way, and each is awaited by itself: Task.WhenAll would resume by way of the thread pool.
                Exception? failure = null;
                foreach (var (chunk, renewal) in chunks)
                {
                    await ((Task)renewal).ConfigureAwait(OnWatchdog | ConfigureAwaitOptions.SuppressThrowing);
                    if (renewal.Exception?.InnerException is { } thrown)
                    {
                        failure = thrown;
                        continue;
                    }

                    var answers = await renewal.ConfigureAwait(OnWatchdog);
                    for (var i = 0; i < chunk.Length; i++)
                    {
                        replies[chunk[i]] = (int)answers[i] switch
                        {
                            1 => RenewalReply.Renewed,
                            2 => RenewalReply.Revoked,
                            _ => RenewalReply.NotHeld,
                        };
                    }
                }

                return failure is null ? true : throw failure;
            },
            requests.Count == 1 ? "renew the lock" : "renew several locks, among them",
            requests.Count > 0 ? requests[0].LockName : null,
            OnWatchdog,
            cancellationToken).ConfigureAwait(OnWatchdog);
        return replies;
    }

    public async Task<ReleaseReply> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken)
    {
        RedisValue[] values =
        [
            request.Owner.ToString(),
            request.Entry,
            Milliseconds(request.ClaimWindow),
            request.AllowBarging ? 1 : 0,
            Milliseconds(request.LockAtLeastFor),
        ];
        var reply = await EvaluateAsync(
            RedisScript.Release,
            KeysOf(request.LockName, request.Occurrence),
            request.Occurrence is { } occurrence ? [.. values, Microseconds(occurrence.Time), occurrence.Run, request.OccurrenceIsFinished ? 1 : 0] : values,
            "release the lock",
            request.LockName,
            cancellationToken).ConfigureAwait(false);
        return (int)reply switch
        {
            1 => ReleaseReply.Released,
            2 => ReleaseReply.StillHeldByOwner,
            _ => ReleaseReply.NotHeld,
        };
    }

    public async Task<IAsyncDisposable> SubscribeAsync(string nodeId, Action<LockNotification> handler, CancellationToken cancellationToken) =>
        await AskAsync(
            (connection, token) => RedisSubscription.BeginAsync(connection, _keys.NodeChannels + nodeId, handler, token),
            "listen for the locks that are passed to this node",
            lockName: null,
            Anywhere,
            cancellationToken).ConfigureAwait(false);

    public async Task<LockHolder?> GetHolderAsync(string lockName, CancellationToken cancellationToken)
    {
        const string action = "look at the lock";
        var reply = (RedisResult[])(await EvaluateAsync(
            RedisScript.Holder, [_keys.Lock(lockName)], [], action, lockName, cancellationToken).ConfigureAwait(false))!;
        return reply.Length == 0 ? null : LockReply.HolderIn(reply) ?? throw Foreign(action, lockName);
    }

    public async Task<LockInspection> InspectAsync(string lockName, int maxWaiters, CancellationToken cancellationToken)
    {
        const string action = "inspect the lock";
        var reply = (RedisResult[])(await EvaluateAsync(
            RedisScript.Inspect,
            [_keys.Lock(lockName), _keys.Waiters(lockName), _keys.Alive(lockName)],
            [maxWaiters],
            action,
            lockName,
            cancellationToken).ConfigureAwait(false))!;
        return LockReply.InspectionIn(lockName, reply) ?? throw Foreign(action, lockName);
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
        var reply = await EvaluateAsync(
            RedisScript.Revoke,
            [.. _keys.All(lockName), _keys.Revoked(lockName)],
            [fencingToken, Milliseconds(claimWindow)],
            "take from its holder the lock",
            lockName,
            cancellationToken).ConfigureAwait(false);
        return (int)reply == 1;
    }

    public async Task PingAsync(CancellationToken cancellationToken) =>
        await AskAsync(
            (connection, token) => connection.GetDatabase(_database).PingAsync().OrCancelledAsync(Anywhere, token),
            "answer a ping",
            lockName: null,
            Anywhere,
            cancellationToken).ConfigureAwait(false);

    private RedisKey[] KeysOf(string lockName, Occurrence? occurrence) =>
        occurrence is null ? _keys.All(lockName) : [.. _keys.All(lockName), _keys.Occurrence(lockName, occurrence.Series)];

    private async Task<RedisResult[]> RenewAsync(
        IConnectionMultiplexer connection, IReadOnlyList<RenewalRequest> requests, int[] chunk, CancellationToken cancellationToken)
    {
        var keys = new RedisKey[2 * chunk.Length];
        var values = new RedisValue[3 * chunk.Length];
        for (var i = 0; i < chunk.Length; i++)
        {
            var request = requests[chunk[i]];
            keys[2 * i] = _keys.Lock(request.LockName);
            keys[(2 * i) + 1] = _keys.Revoked(request.LockName);
            values[3 * i] = request.Owner.ToString();
            values[(3 * i) + 1] = request.FencingToken ?? RedisValue.EmptyString;
            values[(3 * i) + 2] = Milliseconds(request.LeaseDuration);
        }

        var reply = await RedisScript.Renew
            .RunAsync(connection.GetDatabase(_database), keys, values, OnWatchdog, cancellationToken).ConfigureAwait(OnWatchdog);
        return (RedisResult[])reply!;
    }

    /// <summary>Runs a script for one lock. What is sent cannot be taken back, so the token ends only what comes before that.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<RedisResult> EvaluateAsync(
        RedisScript script, RedisKey[] keys, RedisValue[] values, string action, string lockName, CancellationToken cancellationToken)
    {
        try
        {
            var connection = _isFit && _connection.Established is { } established ? established : await GetFitAsync(Anywhere, cancellationToken).ConfigureAwait(false);
            var database = connection.GetDatabase(_database);
            try
            {
                return await database.ScriptEvaluateAsync(script.Hash, keys, values).ConfigureAwait(false);
            }
            catch (RedisServerException unknown) when (RedisScript.IsUnknown(unknown))
            {
                // Nothing of it was applied, and the caller may have taken it back by now.
                cancellationToken.ThrowIfCancellationRequested();
                return await script.SendAsync(database, keys, values).ConfigureAwait(false);
            }
        }
        catch (Exception exception) when (IsOfTheServer(exception, action, lockName, cancellationToken, out var failure))
        {
            throw failure;
        }
    }

    /// <summary>Asks a server that is known to be fit, and turns what goes wrong into the store's own exception.</summary>
    private async Task<T> AskAsync<T>(
        Func<IConnectionMultiplexer, CancellationToken, Task<T>> ask, string action, string? lockName, ConfigureAwaitOptions resume, CancellationToken cancellationToken)
    {
        try
        {
            var connection = await GetFitAsync(resume, cancellationToken).ConfigureAwait(resume);
            return await ask(connection, cancellationToken).ConfigureAwait(resume);
        }
        catch (Exception exception) when (IsOfTheServer(exception, action, lockName, cancellationToken, out var failure))
        {
            throw failure;
        }
    }

    private async Task<IConnectionMultiplexer> GetFitAsync(ConfigureAwaitOptions resume, CancellationToken cancellationToken)
    {
        var connection = await _connection.GetAsync(resume, cancellationToken).ConfigureAwait(resume);
        if (_fitness is not null)
        {
            await _fitness.GetAsync(cancellationToken).ConfigureAwait(resume);
        }

        _isFit = true;
        return connection;
    }

    private static bool IsOfTheServer(
        Exception exception, string action, string? lockName, CancellationToken cancellationToken, [NotNullWhen(true)] out LockStoreException? failure)
    {
        failure = null;
        return !(exception is OperationCanceledException && cancellationToken.IsCancellationRequested)
            && RedisErrorClassifier.TryClassify(exception, lockName is null ? action : $"{action} '{lockName}'", out failure);
    }

    private LockStoreException Foreign(string action, string lockName) =>
        new($"Cannot {action} '{lockName}': something else wrote the key '{_keys.Lock(lockName)}'. Delete it, or set another {RedisStoreOptions.SectionName}:KeyPrefix.");

    private static long Microseconds(DateTimeOffset time) => (time - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>Rounded up: never shorter than what the holder counts on.</summary>
    private static long Milliseconds(TimeSpan duration) => (long)Math.Ceiling(duration.TotalMilliseconds);
}
