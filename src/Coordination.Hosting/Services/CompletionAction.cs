namespace Coordination;

/// <summary>
/// What this node does, and no other, after <c>ExecuteExclusiveAsync</c> has returned by itself: the work of the term is done. Each node counts for
/// itself: with three nodes the work is done three times, once on each, before all of them pause or contend no more.
/// </summary>
public enum CompletionAction
{
    /// <summary>This node contends again after <see cref="ExclusiveServiceOptions.CompletionPause"/>. The default.</summary>
    Pause,

    /// <summary>
    /// This node contends again at once, behind the nodes that wait already. Work that returns quickly then runs over and over, as fast as the
    /// store grants the lock.
    /// </summary>
    ContendAgain,

    /// <summary>This node does not contend again until its host is started anew. Other nodes do.</summary>
    Never,
}
