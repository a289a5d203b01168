namespace Coordination;

/// <summary>Why a leadership changed.</summary>
public enum LeadershipChangeCause
{
    /// <summary>It has not changed: it is as it was when this node began to look.</summary>
    None,

    /// <summary>A term of this node began.</summary>
    TermBegan,

    /// <summary>A term of this node ended: its work returned by itself.</summary>
    WorkCompleted,

    /// <summary>A term of this node ended: its work threw.</summary>
    WorkFailed,

    /// <summary>A term of this node ended: its work stepped down.</summary>
    SteppedDown,

    /// <summary>A term of this node ended: it was as long as <see cref="ExclusiveServiceOptions.MaxTerm"/> allows.</summary>
    MaxTermReached,

    /// <summary>A term of this node ended: its lease was lost.</summary>
    LeaseLost,

    /// <summary>The host of this node stops.</summary>
    HostStopped,

    /// <summary>Another node was seen to lead.</summary>
    LeaderSeen,

    /// <summary>Another node that led does so no longer, or is not known to: its lease as it was seen has run out, and the store does not say more.</summary>
    LeaderGone,
}
