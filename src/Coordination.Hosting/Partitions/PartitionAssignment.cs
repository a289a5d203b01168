namespace Coordination.Hosting.Partitions;

/// <summary>
/// Which node is to lead which partition: rendezvous hashing with bounded loads. It follows from the members and the partitions alone, in whatever order they are given, so that nodes which see the same work out the same.
/// </summary>
/// <remarks>
/// Each partition asks the node for which it has the highest score; a node that is asked by more than its share keeps those with the highest scores, and the others ask the next. That is the one stable
/// matching, whoever asks first. A node that comes draws what scores highest there, one that goes leaves what it had, and little else moves. A node that stays away from a partition is not asked by it, and what finds no
/// room for that goes to the node that has the fewest, or to a full one that gives another to one that has room; or, where all stay away that could have it, to one of those.
/// </remarks>
internal sealed class PartitionAssignment
{
    public static readonly PartitionAssignment None = new([]);

    private readonly Dictionary<string, string> _nodes;

    private PartitionAssignment(Dictionary<string, string> nodes) => _nodes = nodes;

    /// <summary>How many partitions have a node.</summary>
    public int Count => _nodes.Count;

    /// <summary>The node that is to lead a partition; null for none.</summary>
    public string? Find(string partition) => _nodes.GetValueOrDefault(partition);

    /// <summary>The partitions of a node.</summary>
    public IEnumerable<string> Of(string nodeId) => from pair in _nodes where pair.Value == nodeId select pair.Key;

    /// <param name="members">The nodes, each once.</param>
    /// <param name="partitions">The partitions, each once.</param>
    public static PartitionAssignment Create(IEnumerable<PartitionMember> members, IEnumerable<string> partitions)
    {
        Node[] nodes = [.. members.Select(static member => new Node(member)).OrderBy(static node => node.Id, StringComparer.Ordinal)];
        Part[] parts = [.. partitions.Select(static name => new Part(name, PartitionHash.Of(name))).OrderBy(static part => part.Name, StringComparer.Ordinal)];
        SetShares(nodes, parts.Length);
        var unplaced = new List<int>();
        for (var i = 0; i < parts.Length; i++)
        {
            if (Place(i, parts, nodes) is { } left && Array.Exists(nodes, node => node.StaysAwayFrom(parts[left])))
            {
                unplaced.Add(left);
            }
        }

        foreach (var part in unplaced.Order())
        {
            PlaceBeyondShare(part, parts, nodes);
        }

        var assigned = new Dictionary<string, string>(parts.Length, StringComparer.Ordinal);
        foreach (var node in nodes)
        {
            foreach (var (part, _) in node.Kept.UnorderedItems)
            {
                assigned.Add(parts[part].Name, node.Id);
            }
        }

        return new PartitionAssignment(assigned);
    }

    /// <summary>Has a partition ask from node to node, and whoever it displaces after it, until one of them finds room or there is none.</summary>
    /// <returns>The one for which there is none; null for none such.</returns>
    private static int? Place(int asking, Part[] parts, Node[] nodes)
    {
        while (true)
        {
            var part = parts[asking];
            var best = -1;
            var bestRank = default(Rank);
            for (var i = 0; i < nodes.Length; i++)
            {
                var rank = new Rank(PartitionHash.Score(part.Hash, nodes[i].Hash), i);
                if (nodes[i].Share > 0 && !nodes[i].StaysAwayFrom(part) && rank.CompareTo(part.RefusedAt) < 0 && (best < 0 || rank.CompareTo(bestRank) > 0))
                {
                    (best, bestRank) = (i, rank);
                }
            }

            if (best < 0)
            {
                // All that would have it have enough of what scores higher there.
                return asking;
            }

            // Of equal scores the one that comes first by its name goes first.
            part.RefusedAt = bestRank;
            var kept = nodes[best].Kept;
            var mine = new Rank(bestRank.Score, parts.Length - asking);
            if (kept.Count < nodes[best].Share)
            {
                kept.Enqueue(asking, mine);
                return null;
            }

            asking = kept.EnqueueDequeue(asking, mine);
        }
    }

    /// <summary>
    /// Has a partition from which a node stays away led by the one that has the fewest, and room; or by a full one, which gives another partition to one that has room, if need be by way of several.
    /// Where there is no such way by one that stays away: that counts it as its share, and begins it when it can.
    /// </summary>
    private static void PlaceBeyondShare(int asking, Part[] parts, Node[] nodes)
    {
        var part = parts[asking];
        List<Node> roomy = [.. nodes.Where(static node => node.Kept.Count < node.Max)];
        if (Best(roomy.Where(node => !node.StaysAwayFrom(part)), part) is { } best)
        {
            Keep(best, asking, parts);
            return;
        }

        // From those that could have it from node to node, over what each could give to the next, to the nearest with room.
        var cameFrom = new Dictionary<Node, (Node? Before, int Given)>();
        var open = new Queue<Node>();
        foreach (var node in nodes.Where(node => node.Max > 0 && !node.StaysAwayFrom(part)).OrderByDescending(node => PartitionHash.Score(part.Hash, node.Hash)))
        {
            cameFrom.Add(node, (null, asking));
            open.Enqueue(node);
        }

        while (open.TryDequeue(out var giver))
        {
            foreach (var taker in nodes.Where(taker => taker.Max > 0 && !cameFrom.ContainsKey(taker)))
            {
                if (giver.Kept.UnorderedItems.Select(static kept => (int?)kept.Element).Where(kept => !taker.StaysAwayFrom(parts[kept!.Value])).Min() is not { } given)
                {
                    continue;
                }

                cameFrom.Add(taker, (giver, given));
                if (taker.Kept.Count == taker.Max)
                {
                    open.Enqueue(taker);
                    continue;
                }

                for (Node? node = taker; node is not null; node = cameFrom[node].Before)
                {
                    var (before, moved) = cameFrom[node];
                    before?.Kept.Remove(moved, out _, out _);
                    Keep(node, moved, parts);
                }

                return;
            }
        }

        if (Best(roomy, part) is { } last)
        {
            Keep(last, asking, parts);
        }
    }

    /// <summary>Of those that have the fewest the one that scores highest; null for none.</summary>
    private static Node? Best(IEnumerable<Node> nodes, Part part) =>
        nodes.OrderBy(static node => node.Kept.Count).ThenByDescending(node => PartitionHash.Score(part.Hash, node.Hash)).FirstOrDefault();

    private static void Keep(Node node, int kept, Part[] parts) => node.Kept.Enqueue(kept, new Rank(PartitionHash.Score(parts[kept].Hash, node.Hash), parts.Length - kept));

    /// <summary>Levels the shares, as water does in vessels of different heights; what is left over then, one for each, goes to the nodes whose hashes are the highest.</summary>
    private static void SetShares(Node[] nodes, int partitions)
    {
        var (left, open) = (partitions, nodes.Length);
        foreach (var node in nodes.OrderBy(static node => node.Max))
        {
            if (node.Max > left / open)
            {
                break;
            }

            node.Share = node.Max;
            left -= node.Max;
            open--;
        }

        if (open == 0)
        {
            return;
        }

        var rest = left % open;
        foreach (var node in nodes.OrderBy(static node => node.Max).Skip(nodes.Length - open).OrderByDescending(static node => node.Hash).ThenBy(static node => node.Id, StringComparer.Ordinal))
        {
            node.Share = (left / open) + (rest-- > 0 ? 1 : 0);
        }
    }

    private sealed class Node(PartitionMember member)
    {
        private readonly AbsenceFilter _away = AbsenceFilter.Parse(member.Away);

        public string Id => member.NodeId;

        public ulong Hash { get; } = PartitionHash.Of(member.NodeId);

        /// <summary>How many it leads at most.</summary>
        public int Max { get; } = member.MaxPartitions ?? int.MaxValue;

        /// <summary>How many it is to lead.</summary>
        public int Share { get; set; }

        /// <summary>The partitions that it leads, the one with the lowest score first.</summary>
        public PriorityQueue<int, Rank> Kept { get; } = new();

        public bool StaysAwayFrom(Part part) => _away.Contains(part.Hash);
    }

    private sealed class Part(string name, ulong hash)
    {
        public string Name => name;

        public ulong Hash => hash;

        /// <summary>Where it asked last: it does not ask there again, nor where it scores higher.</summary>
        public Rank RefusedAt { get; set; } = new(ulong.MaxValue, int.MaxValue);
    }

    /// <summary>A score, and what decides between equal ones.</summary>
    private readonly record struct Rank(ulong Score, int Number) : IComparable<Rank>
    {
        public int CompareTo(Rank other) => Score != other.Score ? Score.CompareTo(other.Score) : Number.CompareTo(other.Number);
    }
}
