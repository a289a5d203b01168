using Coordination.Hosting.Execution;

namespace Coordination.Hosting.Terms;

/// <summary>How a try to lead ended, and after how long: the term, or the wait when there was none.</summary>
/// <param name="End">How it ended.</param>
/// <param name="Duration">How long it took.</param>
/// <param name="StayAway">How long the node was asked to stay away after it.</param>
/// <param name="Hung">Whether the lease was lost because the work reported no progress: another node may do better, and this one is not to lead again at once.</param>
internal readonly record struct TermOutcome(WorkEnd End, TimeSpan Duration, TimeSpan StayAway = default, bool Hung = false)
{
    /// <summary>How a term ended whose work has returned.</summary>
    public static TermOutcome Of(WorkResult result, ILease lease, TimeSpan duration, TimeSpan stayAway = default) =>
        new(result.End, duration, stayAway, Hung: result.End == WorkEnd.Lost && lease.LossReason == LeaseLossReason.NoProgress);

    public bool IsFailure => Hung || End is WorkEnd.Failed or WorkEnd.Refused;
}
