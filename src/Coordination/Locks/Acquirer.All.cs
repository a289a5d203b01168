using Coordination.Leases;
using Coordination.Resilience;
using Coordination.Stores;
using Coordination.Telemetry;
using Coordination.Waiting;

namespace Coordination.Locks;

/// <content>Several locks together: in one step, or one of them after the other. Each is a part of a call, which measures itself.</content>
internal sealed partial class Acquirer
{
    /// <summary>Tries once to acquire several locks in one step.</summary>
    /// <returns>The leases in the order of the names, and none where one of them is another's; null where the store has no such step for them.</returns>
    /// <exception cref="LockStoreException">Among other failures, the store granted some of them and not all, and what it granted is undone.</exception>
    public async Task<IReadOnlyList<LeaseHandle>?> TryAllAsync(IReadOnlyList<string> names, LockOptions? options, CancellationToken cancellationToken)
    {
        ThrowIfDisposed();
        cancellationToken.ThrowIfCancellationRequested();
        AcquireRequest[] requests = [.. names.Select(name => node.Acquire(name, owner: null, options, wait: false))];
        var (sending, accepted) = (new Sending(), new List<LeaseHandle>());
        try
        {
            var all = await store.TryAcquireAllAsync(requests, node.AcquireLimit(options), sending, cancellationToken).ConfigureAwait(false);
            if (all.Reply is not { } replies)
            {
                return null;
            }

            ThrowIfPartly(requests, replies);
            for (var i = 0; i < replies.Count; i++)
            {
                // Of those that are refused this says why, or nothing.
                if (Accept(requests[i], new TimedReply<AcquireReply>(replies[i], all.SentAt, all.Attempt), options, cancellationToken).Lease is { } lease)
                {
                    accepted.Add(lease);
                }
            }

            return accepted;
        }
        catch
        {
            // Nobody receives any more what was granted.
            accepted.ForEach(static lease => lease.Undo());
            foreach (var request in sending.MayBeApplied ? requests.AsSpan(accepted.Count) : [])
            {
                _ = UndoAsync(request, sending);
            }

            throw;
        }
    }

    /// <summary>Tries once to acquire one of several.</summary>
    public async Task<ILockLease?> TryPartAsync(WaitKey key, CancellationToken cancellationToken) =>
        (await TryOnceAsync(key, occurrence: null, cancellationToken, isPart: true).ConfigureAwait(false)).Lease;

    /// <summary>Waits for one of several.</summary>
    /// <exception cref="OperationCanceledException">As of <see cref="WaitingRoom.AcquireAsync"/>.</exception>
    public async Task<ILockLease?> WaitForPartAsync(WaitKey key, CancellationToken cancellationToken)
    {
        ThrowIfDisposed();
        cancellationToken.ThrowIfCancellationRequested();
        var lease = await room.AcquireAsync(key, CallKind.User, cancellationToken).ConfigureAwait(false);
        channel.Listen();
        return lease;
    }

    /// <summary>Why a lock cannot be asked for now, as far as is known without asking.</summary>
    public LockStoreException? FindFailure(string lockName) => store.FindFailure(lockName);

    /// <summary>All or none is what callers count on: a store that grants a part has done something else than it was asked.</summary>
    private void ThrowIfPartly(AcquireRequest[] requests, IReadOnlyList<AcquireReply> replies)
    {
        var granted = replies.Count(static reply => reply.IsGranted);
        if (replies.Count != requests.Length || (granted > 0 && granted < requests.Length))
        {
            throw new LockStoreException(
                $"The store '{store.Name}' granted {granted} of {requests.Length} locks, '{requests[0].LockName}' to '{requests[^1].LockName}', in {replies.Count} replies: {nameof(ILockStore)}.{nameof(ILockStore.TryAcquireAllAsync)} grants all or none, and replies for each. What it granted is undone. The store has to be corrected.");
        }
    }
}
