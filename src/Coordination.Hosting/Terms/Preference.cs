using Coordination.Hosting.Services;

namespace Coordination.Hosting.Terms;

/// <summary>Which nodes are to lead before others: those that are named, in their order, and of the rest those of a higher rank. All are before one that abstains.</summary>
/// <param name="nodes">The names.</param>
internal sealed class Preference(IReadOnlyList<string> nodes) : IComparer<(LockOwner Owner, long Rank)>
{
    /// <returns>Greater than zero when the first is to lead before the second; zero when neither is.</returns>
    public int Compare((LockOwner Owner, long Rank) x, (LockOwner Owner, long Rank) y)
    {
        var place = PlaceOf(y).CompareTo(PlaceOf(x));
        return place != 0 ? place : x.Rank.CompareTo(y.Rank);
    }

    private int PlaceOf((LockOwner Owner, long Rank) node)
    {
        for (var i = 0; i < nodes.Count && node.Rank != ExclusiveService.AbstainingRank; i++)
        {
            if (nodes[i] == node.Owner.NodeName || nodes[i] == node.Owner.NodeId)
            {
                return i;
            }
        }

        return nodes.Count;
    }
}
