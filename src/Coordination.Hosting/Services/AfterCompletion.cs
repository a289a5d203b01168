namespace Coordination;

/// <summary>What a node does after <c>ExecuteExclusiveAsync</c> has returned with neither a loss nor a stop: the work of the term is done.</summary>
public enum AfterCompletion
{
    /// <summary>Contend again after <see cref="ExclusiveServiceOptions.CompletionPause"/>. The default.</summary>
    Pause,

    /// <summary>
    /// Contend again at once, behind the nodes that wait already. Work that returns quickly then runs over and over, as fast as the
    /// store grants the lock.
    /// </summary>
    ContendAgain,

    /// <summary>Not contend again until the host is started anew. Other nodes do.</summary>
    Never,
}
