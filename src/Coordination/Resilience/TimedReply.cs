using Coordination.Time;

namespace Coordination.Resilience;

/// <summary>A reply of the store, and the moment before its request was sent.</summary>
/// <param name="Reply">The reply.</param>
/// <param name="SentAt">What the store counts began no earlier than this, so deadlines count from here.</param>
/// <param name="Attempt">Which attempt it is the reply to, from 1. Earlier ones failed for this side and may have been applied all the same.</param>
internal readonly record struct TimedReply<TReply>(TReply Reply, ClockReading SentAt, int Attempt)
{
    /// <summary>
    /// Why nothing was sent: the store is away, as another call found. No failure of this attempt, which a pipeline would retry, and not seen outside of the client.
    /// </summary>
    public LockStoreException? Away { get; init; }
}
