using System.Globalization;
using System.Text;

namespace Coordination;

/// <summary>The leadership of a service as it is from one moment on, as this node sees it.</summary>
/// <remarks>Two are equal when all of their values are, and name the same leaders in the same order.</remarks>
public sealed record LeadershipChange
{
    /// <summary>The name of the service's lock.</summary>
    public required string LockName { get; init; }

    /// <summary>Whether this node leads.</summary>
    public required bool IsLeader { get; init; }

    /// <summary>Who leads; of several this node, if it is one of them, and else the one that has led for the longest time.</summary>
    /// <value>Null, the default, when nobody does, or it is not known.</value>
    public LeaderInfo? Leader { get; init; }

    /// <summary>All who lead, as far as this node knows. Compared with those of the change before it says who came and who went.</summary>
    /// <value>In the order of <see cref="LeaderInfo.Instance"/>. Empty, the default, when nobody does, or it is not known.</value>
    public IReadOnlyList<LeaderInfo> Leaders { get; init; } = [];

    /// <summary>Why it changed.</summary>
    /// <value><see cref="LeadershipChangeCause.None"/> by default.</value>
    public LeadershipChangeCause Cause { get; init; }

    /// <summary>When this node saw it change, on its wall clock.</summary>
    public required DateTimeOffset At { get; init; }

    /// <inheritdoc/>
    public bool Equals(LeadershipChange? other) =>
        other is not null && (LockName, IsLeader, Leader, Cause, At) == (other.LockName, other.IsLeader, other.Leader, other.Cause, other.At) && Leaders.SequenceEqual(other.Leaders);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(LockName, IsLeader, Leader, Leaders.Count, Cause, At);

    private bool PrintMembers(StringBuilder text)
    {
        text.Append(
            CultureInfo.InvariantCulture,
            $"LockName = {LockName}, IsLeader = {IsLeader}, Leader = {Leader}, Leaders = [{string.Join(", ", Leaders)}], Cause = {Cause}, At = {At:O}");
        return true;
    }
}
