namespace Coordination;

/// <summary>The kinds of <see cref="LockShare"/>.</summary>
public enum LockShareKind
{
    /// <summary>One of the permits of a semaphore.</summary>
    Permit,

    /// <summary>To read, beside others who read.</summary>
    Read,

    /// <summary>To read, beside others who read, as the one of them that may go on to write.</summary>
    UpgradeableRead,

    /// <summary>To write, with nobody beside.</summary>
    Write,

    /// <summary>To write, with nobody beside but the own upgradeable read.</summary>
    Upgrade,
}
