using Coordination.Leases;
using Coordination.Resilience;
using Coordination.Stores;
using Coordination.Telemetry;

namespace Coordination.Locks;

/// <content>Several locks in one step.</content>
internal sealed partial class Acquirer
{
    /// <summary>Tries once to acquire several locks in one step.</summary>
    /// <returns>The leases in the order of the names, and none where one of them is another's; null where the store has no such step for them.</returns>
    public async Task<IReadOnlyList<LeaseHandle>?> TryAllAsync(IReadOnlyList<string> names, LockOptions? options, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, typeof(ILockProvider));
        cancellationToken.ThrowIfCancellationRequested();
        AcquireRequest[] requests = [.. names.Select(name => node.Acquire(name, owner: null, options, wait: false))];
        var (call, outcome) = (telemetry.Begin(names[0], CallKind.User), AcquireOutcome.Held);
        var (sending, accepted) = (new Sending(), new List<LeaseHandle>());
        try
        {
            var all = await store.TryAcquireAllAsync(requests, node.AcquireLimit(options), sending, cancellationToken).ConfigureAwait(false);
            for (var i = 0; i < all.Reply?.Count; i++)
            {
                // Of those that are refused this says why, or nothing.
                if (Accept(requests[i], new TimedReply<AcquireReply>(all.Reply[i], all.SentAt, all.Attempt), options, cancellationToken).Lease is { } lease)
                {
                    accepted.Add(lease);
                    outcome = AcquireOutcome.Granted;
                }
            }

            return all.Reply is null ? null : accepted;
        }
        catch (Exception e)
        {
            // Nobody receives any more what was granted.
            accepted.ForEach(static lease => lease.Undo());
            foreach (var request in sending.MayBeApplied ? requests.AsSpan(accepted.Count) : [])
            {
                _ = UndoAsync(request, sending);
            }

            outcome = e is OperationCanceledException ? AcquireOutcome.Cancelled : e is LockStoreException { InUseAs: not null } ? AcquireOutcome.Held : AcquireOutcome.Failed;
            throw;
        }
        finally
        {
            telemetry.End(call, outcome);
        }
    }
}
