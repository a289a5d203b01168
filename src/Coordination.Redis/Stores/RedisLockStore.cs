using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Coordination.Redis.Connections;
using Coordination.Redis.Errors;
using Coordination.Redis.Scripts;
using Coordination.Stores;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Coordination.Redis.Stores;

/// <summary>Locks kept by Redis, Valkey or Garnet: one script for each operation, each atomic on the server.</summary>
internal sealed partial class RedisLockStore : ILockStore, ILockStoreAdministration, IAsyncDisposable, IDisposable
{
    /// <summary>Where the code goes on after a wait, nearly everywhere: wherever there is a thread.</summary>
    private const ConfigureAwaitOptions Anywhere = ConfigureAwaitOptions.None;

    /// <summary>
    /// Where a renewal goes on. The watchdog calls on a thread of its own, to which its synchronization context leads back; there
    /// a renewal keeps its time when the thread pool is exhausted.
    /// </summary>
    private const ConfigureAwaitOptions OnWatchdog = ConfigureAwaitOptions.ContinueOnCapturedContext;

    /// <summary>
    /// Takes the place of the caller's token in what has to be sent: nothing ends it on its way, neither a connection or an examination of
    /// the server that is under way, nor a script that the server does not know. A question has the caller's token, which ends it
    /// for as long as it has not been sent.
    /// </summary>
    private static readonly CancellationToken HasToBeSent = CancellationToken.None;

    private readonly RedisConnection _connection;
    private readonly LockKeys _keys;
    private readonly LockPartitions _partitions;
    private readonly LockScan _scan;
    private readonly NodeSubscriptions _subscriptions;
    private readonly Replication _replication;
    private readonly LockCalls _calls;
    private readonly LockCalls _shareCalls;
    private readonly ServerClocks _clocks;
    private readonly int _database;
    private readonly Func<IConnectionMultiplexer, Task> _write;
    private readonly SharedAttempt<bool>? _fitness;
    private volatile bool _isFit;

    /// <param name="connection">The server.</param>
    /// <param name="options">The prefix, the database, and the replicas to wait for.</param>
    /// <param name="examine">Finds out, once, whether the server can keep locks, and throws if not; null to take it for granted.</param>
    /// <param name="logger">Takes what an operator should know.</param>
    public RedisLockStore(RedisConnection connection, RedisStoreOptions options, Func<RedisConnection, Task<bool>>? examine, ILogger logger)
    {
        _connection = connection;
        _keys = new LockKeys(options.KeyPrefix);
        _partitions = new LockPartitions(connection);
        _calls = new LockCalls(_partitions, RedisScript.Joined, LockKeys.WithQueue);
        _shareCalls = new LockCalls(_partitions, RedisScript.ShareJoined, keysEach: 1);
        _clocks = new ServerClocks(_keys.Nothing);
        _subscriptions = new NodeSubscriptions(connection, _clocks, logger);
        _database = options.Database ?? -1;
        _write = connection => connection.GetDatabase(_database).ExecuteAsync("DEL", [_keys.Nothing], RedisScript.OnPrimary);
        _scan = new LockScan(_keys, _database);
        _replication = new Replication(options.ReplicasToWaitFor, options.ReplicationTimeout);
        _fitness = examine is null ? null : new SharedAttempt<bool>(() => examine(connection));
    }

    public string Name => "redis";

    public bool KeepsShares => true;

    /// <summary>Finds out now whether the server is there and can keep locks, as the first operation would.</summary>
    /// <exception cref="LockStoreException">It is away (transient), or it cannot (final).</exception>
    public Task EnsureFitAsync(CancellationToken cancellationToken) =>
        AskAsync(static (_, _) => Task.FromResult(true), "examine the server", lockName: null, Anywhere, cancellationToken);

    public Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken) =>
        _replication.IsAsked ? AcquireOnReplicasAsync(request, cancellationToken) : AcquireOnPrimaryAsync(request, cancellationToken);

    /// <inheritdoc cref="LockPartitions.Of"/>
    public int PartitionOf(string lockName) => _partitions.Of(lockName);

    /// <inheritdoc cref="LockPartitions.ShardOf"/>
    public int ShardOf(string lockName) => _partitions.ShardOf(lockName);

    public async Task<IReadOnlyList<RenewalReply>> RenewAsync(IReadOnlyList<RenewalRequest> requests, CancellationToken cancellationToken)
    {
        if (requests.Count == 0)
        {
            return [];
        }

        if (!_partitions.IsOne(requests))
        {
            throw new ArgumentException(
                $"The locks of one renewal are on several slots of the Cluster, among them '{requests[0].LockName}'. Group them by {nameof(PartitionOf)} before each call.",
                nameof(requests));
        }

        var replies = await AskAsync(
            (connection, token) => RenewAsync(connection, requests, token),
            requests.Count == 1 ? "renew the lock" : "renew several locks, among them",
            requests[0].LockName,
            OnWatchdog,
            cancellationToken).ConfigureAwait(OnWatchdog);
        return Array.ConvertAll(replies, static reply => (int)reply switch
        {
            1 => RenewalReply.Renewed,
            2 => RenewalReply.Revoked,
            _ => RenewalReply.NotHeld,
        });
    }

    public Task<ReleaseReply> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken) =>
        ReleaseAsync(request).OrCancelledAsync(Anywhere, cancellationToken);

    public async Task<IAsyncDisposable> SubscribeAsync(string nodeId, Action<LockNotification> handler, CancellationToken cancellationToken) =>
        await AskAsync(
            (connection, token) => _subscriptions.BeginAsync(connection, _keys.NodeChannels + nodeId, handler, token),
            "listen for the locks that are passed to this node",
            lockName: null,
            Anywhere,
            cancellationToken).ConfigureAwait(false);

    /// <summary>Ends the subscriptions; the connection has an owner of its own.</summary>
    public ValueTask DisposeAsync() => _subscriptions.DisposeAsync();

    public void Dispose()
    {
        // A container that is disposed synchronously: nothing is awaited, the subscriptions end behind it.
        _ = DisposeAsync().AsTask();
    }

    private async Task<AcquireReply> AcquireOnPrimaryAsync(AcquireRequest request, CancellationToken cancellationToken)
    {
        var clock = request.Wait ? _clocks.Of(_connection.Established) : null;
        var reply = request.Share is { } share
            ? await AcquireShareAsync(request, share, cancellationToken).ConfigureAwait(false)
            : await AcquireExclusiveAsync(request, cancellationToken).ConfigureAwait(false);
        if (reply.IsGranted || !request.Wait)
        {
            return reply;
        }

        // A waiter that knows the store's time holds what is handed over before it has claimed it. But a claim waits for replicas, and of the servers
        // of a Cluster each has its own clock, and may take another's place unnoticed.
        var isKnown = clock is not null && clock == _clocks.Of(_connection.Established) && !_replication.IsAsked && !_partitions.AreSlots;
        return isKnown ? reply with { StoreClock = clock!.Value } : reply with { StoreTime = null };
    }

    private async Task<AcquireReply> AcquireOnReplicasAsync(AcquireRequest request, CancellationToken cancellationToken)
    {
        var key = _keys.Lock(request.LockName);
        var written = await AskAsync(
            (connection, _) => Task.FromResult(Replication.LineTo(connection, key)), "acquire the lock", request.LockName, Anywhere, cancellationToken).ConfigureAwait(false);
        var reply = await AcquireOnPrimaryAsync(request, cancellationToken).ConfigureAwait(false);
        if (!reply.IsGranted)
        {
            return reply;
        }

        try
        {
            await AskAsync(
                (connection, token) => _replication.ConfirmAsync(connection, key, written, token).OrCancelledAsync(Anywhere, token),
                "have replicas confirm the grant of the lock",
                request.LockName,
                Anywhere,
                cancellationToken).ConfigureAwait(false);
            return reply;
        }
        catch (LockStoreException unconfirmed) when (!unconfirmed.MayBeApplied)
        {
            // The question was not sent, but the lock was granted.
            throw new LockStoreException(unconfirmed.Message, unconfirmed.IsTransient, unconfirmed.InnerException) { MayBeApplied = true };
        }
    }

    private RedisKey[] KeysOf(string lockName, Occurrence? occurrence) =>
        occurrence is null ? _keys.All(lockName) : [.. _keys.All(lockName), _keys.Occurrence(lockName, occurrence.Series)];

    /// <summary>One call of one script, for locks of one partition.</summary>
    private async Task<RedisResult[]> RenewAsync(IConnectionMultiplexer connection, IReadOnlyList<RenewalRequest> requests, CancellationToken cancellationToken)
    {
        if (!_partitions.IsOne(requests))
        {
            // Known since the connection stands, and not when the caller grouped them.
            throw Regrouping(requests);
        }

        if (requests.Count > 1 && requests.Any(static request => request.ClaimedEntry is not null))
        {
            // A claim has a script of its own, which needs the queue.
            var each = await Task.WhenAll(requests.Select(request => RenewAsync(connection, [request], cancellationToken))).ConfigureAwait(OnWatchdog);
            return [.. each.Select(static one => one[0])];
        }

        if (requests.Any(static request => request.Share is not null))
        {
            return await RenewSharesAsync(connection, requests, cancellationToken).ConfigureAwait(OnWatchdog);
        }

        try
        {
            if (requests is [{ ClaimedEntry: not null } claim])
            {
                var claimed = await RedisScript.Claim.RunAsync(
                    connection.GetDatabase(_database), _keys.All(claim.LockName), [RequestText.Claim(claim)], OnWatchdog, cancellationToken).ConfigureAwait(OnWatchdog);
                return [claimed];
            }

            var keys = new RedisKey[requests.Count];
            var values = new RedisValue[requests.Count];
            for (var i = 0; i < requests.Count; i++)
            {
                keys[i] = _keys.Lock(requests[i].LockName);
                values[i] = RequestText.Renewal(requests[i]);
            }

            var reply = await RedisScript.Renew
                .RunAsync(connection.GetDatabase(_database), keys, values, OnWatchdog, cancellationToken).ConfigureAwait(OnWatchdog);
            return (RedisResult[])reply!;
        }
        catch (RedisServerException refused) when (RedisErrorClassifier.IsOfSeveralSlots(refused))
        {
            _partitions.LearnOfSlots();
            throw Regrouping(requests, refused);
        }
    }

    private Task<ReleaseReply> ReleaseAsync(ReleaseRequest request) =>
        request.Share is { } share ? ReleaseShareAsync(request, share) : ReleaseExclusiveAsync(request);

    /// <summary>
    /// Runs a script for one lock: a question, whose token ends it until it has been sent and not the wait for the reply, or what
    /// <see cref="HasToBeSent"/>.
    /// </summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<RedisResult> EvaluateAsync(
        RedisScript script, RedisKey[] keys, RedisValue[] values, string action, string lockName, CancellationToken cancellationToken)
    {
        var (begunAt, isAsked) = (Stopwatch.GetTimestamp(), false);
        try
        {
            var established = _isFit ? _connection.Established : null;
            var database = (established ?? await GetFitAsync(Anywhere, cancellationToken).ConfigureAwait(false)).GetDatabase(_database);
            cancellationToken.ThrowIfCancellationRequested();
            isAsked = true;
            var (isShare, isExclusive) = (script == RedisScript.ShareAcquire || script == RedisScript.ShareRelease, script == RedisScript.Acquire || script == RedisScript.Release);
            var mayJoin = keys.Length == LockKeys.WithQueue && (isShare || isExclusive) && !_partitions.AreSlots;
            var isLate = !mayJoin || established is null || _replication.IsAsked;
            return await (isShare ? _shareCalls : _calls).RunAsync(script, database, keys, values, mayJoin, isLate, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (IsOfTheServer(exception, action, lockName, cancellationToken, out var failure, isAsked))
        {
            throw await ExplainAsync(exception, failure, action, lockName, isAsked, begunAt).ConfigureAwait(false);
        }
    }

    /// <summary>Asks a server that is known to be fit, and turns what goes wrong into the store's own exception.</summary>
    private async Task<T> AskAsync<T>(
        Func<IConnectionMultiplexer, CancellationToken, Task<T>> ask, string action, string? lockName, ConfigureAwaitOptions resume, CancellationToken cancellationToken)
    {
        var (begunAt, isAsked) = (Stopwatch.GetTimestamp(), false);
        try
        {
            var connection = await GetFitAsync(resume, cancellationToken).ConfigureAwait(resume);
            cancellationToken.ThrowIfCancellationRequested();
            isAsked = true;
            return await ask(connection, cancellationToken).ConfigureAwait(resume);
        }
        catch (Exception exception) when (IsOfTheServer(exception, action, lockName, cancellationToken, out var failure, isAsked))
        {
            // A renewal goes on on the thread that it began on, and at once.
            throw await ExplainAsync(exception, failure, action, lockName, isAsked, begunAt, waits: resume == Anywhere).ConfigureAwait(resume);
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

    /// <summary>Where there is no connection and nobody knows why yet, waits a moment for the cause: the first failure of an outage is the one that a line tells of.</summary>
    private async Task<LockStoreException> ExplainAsync(Exception exception, LockStoreException failure, string action, string? lockName, bool isAsked, long begunAt, bool waits = true)
    {
        var noticed = _connection.NoticeAsync(exception, begunAt, _write);
        if (!waits || !failure.IsTransient || exception is RedisTimeoutException)
        {
            return failure;
        }

        if (_connection.Finding is null)
        {
            await noticed.ConfigureAwait(false);
        }

        return IsOfTheServer(exception, action, lockName, CancellationToken.None, out var explained, isAsked) ? explained : failure;
    }

    private bool IsOfTheServer(
        Exception exception, string action, string? lockName, CancellationToken cancellationToken, [NotNullWhen(true)] out LockStoreException? failure, bool isAsked = true)
    {
        failure = null;
        if (lockName is not null && exception is RedisServerException refused && RedisErrorClassifier.IsOfAnotherType(refused))
        {
            failure = Foreign(action, lockName, refused);
            return true;
        }

        if (exception is ObjectDisposedException && _connection is { Settings: not null, IsDisposed: false })
        {
            failure = new LockStoreException($"The connection to Redis was replaced; cannot {action} now.", isTransient: true, exception) { MayBeApplied = isAsked };
            return true;
        }

        return !(exception is OperationCanceledException && cancellationToken.IsCancellationRequested)
            && RedisErrorClassifier.TryClassify(exception, lockName is null ? action : $"{action} '{lockName}'", _connection.Address, _connection.Finding, out failure, isAsked);
    }

    private LockStoreException Foreign(string action, string lockName, Exception? refusal = null) =>
        new($"Cannot {action} '{lockName}': something else wrote the key '{_keys.Lock(lockName)}', or one of its queue. Delete it, or set another {RedisStoreOptions.SectionName}:KeyPrefix.", isTransient: false, refusal) { MayBeApplied = refusal is not null };

    /// <summary>Transient: what is grouped anew goes through.</summary>
    private static LockStoreException Regrouping(IReadOnlyList<RenewalRequest> requests, Exception? refusal = null) =>
        new($"The locks of one renewal are on several slots, among them '{requests[0].LockName}', which was not known of the server before. None was renewed; group them by {nameof(PartitionOf)} again.", isTransient: true, refusal);
}
