using Coordination.Hosting.Execution;

namespace Coordination.Hosting.Leadership;

/// <summary>Who led before.</summary>
/// <param name="Leader">The leader of that term.</param>
/// <param name="End">How it ended, as far as this node can know.</param>
/// <param name="OwnEnd">How it ended, where it was a term of this node.</param>
/// <param name="OwnLoss">Why its lease was lost, where that ended it.</param>
internal sealed record Predecessor(LeaderInfo Leader, PredecessorEnd End, WorkEnd? OwnEnd = null, LeaseLossReason? OwnLoss = null)
{
    /// <summary>How it ended, for a line of the log. Of a lock that is free, the store tells nobody why it is.</summary>
    public string Describe() => End switch
    {
        PredecessorEnd.PassedOn => "it was released, or revoked",
        PredecessorEnd.Released => "it was released",
        PredecessorEnd.RanOut => "its lease ran out",
        PredecessorEnd.Own when OwnLoss is not null => $"it was this node's own: {OwnEnd}, {OwnLoss}",
        PredecessorEnd.Own => $"it was this node's own: {OwnEnd}",
        PredecessorEnd.Unknown => "how is not known here",
        _ => throw new InvalidOperationException($"A term that ended is not said to have ended by {End}."),
    };
}
