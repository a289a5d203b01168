namespace Coordination.Hosting.Leadership;

/// <summary>How the term of a predecessor ended, as far as this node can know.</summary>
internal enum PredecessorEnd
{
    /// <summary>It has not ended, or it is to be seen how, or nothing was heard of one of several for too long.</summary>
    Unknown,

    /// <summary>The lock was free before its lease had run out: it was released, or revoked.</summary>
    PassedOn,

    /// <summary>The store still kept the lock for a time after its release, and said so.</summary>
    Released,

    /// <summary>Its lease ran out.</summary>
    RanOut,

    /// <summary>It was a term of this node, which knows.</summary>
    Own,
}
