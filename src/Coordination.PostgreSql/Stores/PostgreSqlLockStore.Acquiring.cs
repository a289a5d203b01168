using System.Text.Json;
using Coordination.PostgreSql.Transactions;
using Coordination.Stores;

namespace Coordination.PostgreSql.Stores;

/// <content>Acquiring locks: alone, several in one step, and together with others that ask again.</content>
internal sealed partial class PostgreSqlLockStore
{
    private static readonly TimeSpan ShortPause = TimeSpan.FromMilliseconds(5);

    public async Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        return await _acquisitions.RunAsync([request], () => request.IsQueued ? AskAgainAsync(request, cancellationToken) : AskAloneAsync(request, cancellationToken)).ConfigureAwait(false);
    }

    public async Task<IReadOnlyList<AcquireReply>?> TryAcquireAllAsync(IReadOnlyList<AcquireRequest> requests, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(requests);
        string[] names = [.. requests.Select(static request => request.LockName)];
        return await _acquisitions.RunAsync(requests, () => TransactAsync<IReadOnlyList<AcquireReply>>(
            names,
            "acquire several locks, among them",
            make: true,
            withShares: false,
            lease: requests.Min(static request => request.LeaseDuration),
            (rows, transaction) =>
            {
                var changes = LockProtocol.AcquireAll([.. names.Select(name => rows[name].State)], requests, rows.Now);
                for (var i = 0; i < names.Length; i++)
                {
                    transaction.Write(rows[names[i]], changes[i].State);
                    transaction.MustConfirm |= MustConfirm(changes[i].Reply);
                }

                return ([.. changes.Select(static change => change.Reply)], [.. changes.SelectMany(static change => change.Notifications)]);
            },
            cancellationToken)).ConfigureAwait(false);
    }

    private async Task<AcquireReply> AskAloneAsync(AcquireRequest request, CancellationToken cancellationToken)
    {
        if (IsTry(request) && _ofOthers.Has(request.LockName) && await LookForRefusalAsync(request, cancellationToken).ConfigureAwait(false) is { } refusal)
        {
            return refusal;
        }

        var (reply, clock) = await ChangeAsync(
            request.LockName, "acquire the lock", request, LockProtocol.Acquire, request.Share is not null, make: true, request.LeaseDuration, cancellationToken).ConfigureAwait(false);
        if (IsTry(request) && reply.Holder is { } other)
        {
            _ofOthers.Saw(request.LockName, other.TimeToLive);
        }

        return WithClock(reply, clock);
    }

    /// <summary>Whether a refusal leaves nothing behind.</summary>
    private static bool IsTry(AcquireRequest request) => request is { Wait: false, IsQueued: false, Occurrence: null };

    /// <summary>Judges a request by what the lock is at one moment, with no lock on its row.</summary>
    /// <returns>The refusal; null where it may be granted, or changes anything: who does that locks the row.</returns>
    private async Task<AcquireReply?> LookForRefusalAsync(AcquireRequest request, CancellationToken cancellationToken)
    {
        var refusal = await LookAsync(
            request.LockName,
            "look at the lock",
            rows =>
            {
                var state = rows[request.LockName].State;
                var change = LockProtocol.Acquire(state, request, rows.Now);
                return change.Reply.Holder is not null && ReferenceEquals(change.State, state) && change.Notifications.IsEmpty ? WithClock(change.Reply, rows.Clock) : null;
            },
            cancellationToken).ConfigureAwait(false);
        if (refusal is null)
        {
            _ofOthers.Forget(request.LockName);
        }
        else
        {
            _ofOthers.Saw(request.LockName, refusal.Holder!.TimeToLive);
        }

        return refusal;
    }

    /// <summary>Asks with others. Mostly who has locked a row just then has it for no longer than a renewal takes.</summary>
    private async Task<AcquireReply> AskAgainAsync(AcquireRequest request, CancellationToken cancellationToken)
    {
        if (await _asks.RunAsync(request, cancellationToken).ConfigureAwait(false) is { } reply)
        {
            return reply;
        }

        await Task.Delay(ShortPause, cancellationToken).ConfigureAwait(false);
        return await _asks.RunAsync(request, cancellationToken).ConfigureAwait(false) ?? await AskAloneAsync(request, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Asks for those that stand in a queue already, in one transaction that waits for nobody.</summary>
    /// <returns>Null for each that takes more than that: its row is not there, or somebody has locked it, or it guards a transaction that may have to be waited for.</returns>
    private async Task<IReadOnlyList<AcquireReply?>> AskTogetherAsync(IReadOnlyList<AcquireRequest> requests)
    {
        string[] names = [.. requests.Select(static request => request.LockName).Distinct(StringComparer.Ordinal)];
        try
        {
            return await TransactAsync<IReadOnlyList<AcquireReply?>>(
                names,
                names.Length == 1 ? "acquire the lock" : "acquire several locks, among them",
                make: false,
                withShares: requests.Any(static request => request.Share is not null),
                lease: null,
                (rows, transaction) => Change(requests, rows, transaction),
                CancellationToken.None,
                skipsLocked: true).ConfigureAwait(false);
        }
        catch (LockStoreException one) when (one is { MayBeApplied: false, IsLockBusy: true } or { InnerException: JsonException or FormatException })
        {
            // One of them spoils no other.
            return new AcquireReply?[requests.Count];
        }
    }

    private static (IReadOnlyList<AcquireReply?> Replies, LockNotification[] Told) Change(IReadOnlyList<AcquireRequest> requests, LockRows rows, LockTransaction transaction)
    {
        var replies = new AcquireReply?[requests.Count];
        var told = new List<LockNotification>();
        var states = new Dictionary<string, LockState>(StringComparer.Ordinal);
        for (var i = 0; i < requests.Count; i++)
        {
            var row = rows[requests[i].LockName];
            var before = states.GetValueOrDefault(row.Name) ?? row.State;
            var change = LockProtocol.Acquire(before, requests[i], rows.Now);
            if (row.IsThere && (!row.IsGuarded || row.HasColumnsOf(change.State)))
            {
                states[row.Name] = change.State;
                told.AddRange(change.Notifications);
                transaction.MustConfirm |= MustConfirm(change.Reply);
                replies[i] = WithClock(change.Reply, rows.Clock);
            }
        }

        foreach (var (name, state) in states)
        {
            transaction.Write(rows[name], state);
        }

        return (replies, [.. told]);
    }

    private static AcquireReply WithClock(AcquireReply reply, long clock) => reply.StoreTime is null ? reply : reply with { StoreClock = clock };
}
