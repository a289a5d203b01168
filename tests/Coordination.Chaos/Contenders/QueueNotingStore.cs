using Coordination.Chaos.History;
using Coordination.Stores;
using Coordination.TestKit.Clocks;
using Coordination.TestKit.Stores;

namespace Coordination.Chaos.Contenders;

/// <summary>Notes when the store has told an attempt that it stands in the queue. From then on it is to be served before all who ask later; until then only the server knows of its request.</summary>
internal sealed class QueueNotingStore(ILockStore inner, HistoryFile history, string by) : DelegatingLockStore(inner)
{
    private static readonly AsyncLocal<long> Attempt = new();

    /// <summary>Says for which attempt the calls of whoever calls this are.</summary>
    public static void Begin(long attempt) => Attempt.Value = attempt;

    public override async Task<AcquireReply> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken)
    {
        var attempt = Attempt.Value;
        var reply = await base.AcquireAsync(request, cancellationToken);
        if (request is { Wait: true, IsQueued: false } && attempt > 0 && reply is { IsGranted: false, Holder: not null })
        {
            history.Write(new HistoryEvent(MachineClock.Now, by, EventKind.Queued, request.LockName, attempt));
        }

        return reply;
    }
}
