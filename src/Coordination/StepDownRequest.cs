namespace Coordination;

/// <summary>What the holder of a lock is asked when it is to step down: to end its work, and then to let the lock pass.</summary>
/// <remarks>Nobody takes the lock from a holder that does not do so: that is to revoke it, by <see cref="ILockInspector.RevokeAsync"/>.</remarks>
public sealed record StepDownRequest
{
    internal static readonly DurationRange StayAways = DurationRange.Between(TimeSpan.Zero, TimeSpan.FromDays(49));

    /// <summary>How long the holder is not to want the lock again after it has let it pass.</summary>
    /// <value>From zero, the default, to 49 days.</value>
    /// <exception cref="ArgumentOutOfRangeException">It is set to what is out of its range.</exception>
    public TimeSpan StayAway
    {
        get;
        init
        {
            StayAways.Validate(nameof(value), nameof(StayAway), value);
            field = value;
        }
    }

    /// <summary>The id of the node that the lock is to pass to, if it waits for it then.</summary>
    /// <value>Null, the default, for the first in the queue, as ever.</value>
    /// <exception cref="ArgumentException">It is set to what is no node's id: it is empty, has more than 256 characters, or has a slash, control characters or half a surrogate pair.</exception>
    public string? Successor
    {
        get;
        init
        {
            LockOwner.ValidateNode(value, nameof(value));
            field = value;
        }
    }

    /// <summary>
    /// The call that asks. It asks again until the holder has stepped down, for what it asks may be lost on its way, and each time under this number: so that it does not take back what
    /// somebody else asked since.
    /// </summary>
    /// <value>Any positive number, by which the calls for a lock differ. Zero, the default, for one that asks once.</value>
    /// <exception cref="ArgumentOutOfRangeException">It is set to a negative number.</exception>
    public long Call
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            field = value;
        }
    }
}
