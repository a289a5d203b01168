namespace Coordination.Hosting.Terms;

/// <summary>Which nodes are to lead before others: those that are named, in their order, and of the rest those of a higher rank.</summary>
/// <param name="nodes">The names.</param>
internal sealed class Preference(IReadOnlyList<string> nodes) : IComparer<(LockOwner Owner, long Rank)>
{
    /// <returns>Greater than zero when the first is to lead before the second; zero when neither is.</returns>
    public int Compare((LockOwner Owner, long Rank) x, (LockOwner Owner, long Rank) y)
    {
        var place = PlaceOf(y.Owner).CompareTo(PlaceOf(x.Owner));
        return place != 0 ? place : x.Rank.CompareTo(y.Rank);
    }

    private int PlaceOf(LockOwner owner)
    {
        for (var i = 0; i < nodes.Count; i++)
        {
            if (nodes[i] == owner.NodeName || nodes[i] == owner.NodeId)
            {
                return i;
            }
        }

        return nodes.Count;
    }
}
