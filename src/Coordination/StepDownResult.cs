namespace Coordination;

/// <summary>What came of asking the holders of a lock to step down.</summary>
public enum StepDownResult
{
    /// <summary>Each holder that was asked has let the lock pass, or lost it.</summary>
    SteppedDown,

    /// <summary>Nobody held the lock, or not under the token that was named, and nobody was asked.</summary>
    NotHeld,

    /// <summary>The time was up, and one that was asked holds the lock still: its work has not ended, or its code does not look at what it is asked.</summary>
    StillHeld,
}
