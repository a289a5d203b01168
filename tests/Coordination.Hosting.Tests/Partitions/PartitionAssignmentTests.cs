using Coordination.Hosting.Partitions;
using CsCheck;

namespace Coordination.Hosting.Tests.Partitions;

/// <summary>What the nodes agree on without a word: it follows from who they are and which partitions there are.</summary>
public sealed class PartitionAssignmentTests
{
    private static readonly Gen<string[]> Names = Gen.Int[0, 100_000].HashSet[0, 300].Select(static numbers => numbers.Select(static number => $"p{number}").ToArray());

    private static readonly Gen<PartitionMember[]> Members =
        Gen.Select(Gen.Int[0, 1000], Gen.OneOf(Gen.Const((int?)null), Gen.Const((int?)null), Gen.Int[1, 60].Select(static max => (int?)max)))
            .Array[1, 12].Select(static all => all.DistinctBy(static pair => pair.Item1).Select(static pair => Member($"node-{pair.Item1}-abc", pair.Item2)).ToArray());

    [Fact]
    [Promise("G1")]
    public void Every_partition_has_one_node_unless_all_have_as_many_as_they_may() =>
        Gen.Select(Members, Names).Sample((members, names) =>
        {
            var assignment = PartitionAssignment.Create(members, names);
            var room = members.Aggregate(0L, static (sum, member) => sum + (member.MaxPartitions ?? 1_000_000));
            Assert.Equal(Math.Min(room, names.Length), assignment.Count);
            Assert.Equal(assignment.Count, members.Sum(member => assignment.Of(member.NodeId).Count()));
            Assert.All(members, member => Assert.True(assignment.Of(member.NodeId).Count() <= (member.MaxPartitions ?? int.MaxValue)));
        });

    [Fact]
    public void Shares_differ_by_one_at_most_but_for_nodes_that_may_have_no_more() =>
        Gen.Select(Members, Names).Sample((members, names) =>
        {
            var assignment = PartitionAssignment.Create(members, names);
            var shares = members.Select(member => (Count: assignment.Of(member.NodeId).Count(), member.MaxPartitions)).ToList();
            var most = shares.Max(static share => share.Count);
            Assert.All(shares, share => Assert.True(share.Count >= most - 1 || share.Count == share.MaxPartitions));
        });

    [Fact]
    public void The_order_in_which_nodes_and_partitions_are_seen_changes_nothing() =>
        Gen.Select(Members, Names, Gen.Int).Sample((members, names, seed) =>
        {
            var (one, order) = (PartitionAssignment.Create(members, names), new Random(seed));
            var (otherMembers, otherNames) = (members.ToArray(), names.ToArray());
            order.Shuffle(otherMembers);
            order.Shuffle(otherNames);
            var other = PartitionAssignment.Create(otherMembers, otherNames);
            Assert.All(names, name => Assert.Equal(one.Find(name), other.Find(name)));
        });

    [Theory]
    [InlineData(1000, 3)]
    [InlineData(5650, 10)]
    [InlineData(100, 20)]
    [InlineData(12, 12)]
    public void A_node_that_comes_or_goes_moves_little_more_than_its_share(int partitions, int nodes)
    {
        var names = Enumerable.Range(0, partitions).Select(static number => $"{number}").ToArray();
        var moved = new List<double>();
        for (var i = 0; i < 20; i++)
        {
            var before = Of(names, i * 1000, nodes);
            var after = Of(names, i * 1000, nodes + 1);
            moved.Add(names.Count(name => before.Find(name) != after.Find(name)));
        }

        // Beside a share those that had found no room where they score highest: of each node about the root of its share.
        var share = (double)partitions / (nodes + 1);
        TestContext.Current.TestOutputHelper?.WriteLine($"{moved.Average():F1} moved on average, {moved.Max()} at most, of a share of {share:F1}.");
        Assert.True(moved.Average() <= (share * 1.1) + Math.Sqrt(partitions), $"{moved.Average()} of {partitions} moved; a share is {share}.");

        static PartitionAssignment Of(string[] names, int first, int nodes) =>
            PartitionAssignment.Create(Enumerable.Range(first, nodes).Select(static number => Member($"host-{number}-abc")), names);
    }

    [Fact]
    [Promise("G15")]
    public void The_assignment_is_the_same_in_every_release()
    {
        string[] nodes = ["a-1-x", "b-2-y", "c-3-z"];
        var assignment = PartitionAssignment.Create(nodes.Select(static node => Member(node)), Enumerable.Range(0, 12).Select(static number => $"{number}"));
        Assert.Equal(14598278634844962250UL, PartitionHash.Of("a"));
        Assert.Equal("aaabcbbcccba", string.Concat(Enumerable.Range(0, 12).Select(number => assignment.Find($"{number}")![0])));
    }

    [Fact]
    public void Nobody_and_nothing_have_no_assignment()
    {
        Assert.Equal(0, PartitionAssignment.Create([], ["a"]).Count);
        Assert.Equal(0, PartitionAssignment.Create([Member("a")], []).Count);
    }

    [Theory]
    [InlineData("members", "%6Dembers")]
    [InlineData("%6Dembers", "%256Dembers")]
    [InlineData("a/b", "a%2Fb")]
    public void Names_of_partitions_have_locks_of_their_own(string partition, string expected) =>
        Assert.Equal($"shop/import/{expected}", new PartitionLockNames("shop/import").Of(partition));

    [Fact]
    public void A_name_that_is_too_long_for_a_lock_is_shortened_and_differs_still()
    {
        var names = new PartitionLockNames(new string('s', 400)).Validate();
        var (one, other) = (names.Of(new string('x', 200)), names.Of(new string('x', 201)));
        Assert.NotEqual(one, other);
        Assert.Null(LockName.FindError(one));
    }

    [Fact]
    public void What_a_node_stays_away_from_another_one_leads_and_nobody_has_more_than_it_may() =>
        Gen.Select(Members, Names, Gen.Int).Sample((members, names, seed) =>
        {
            var random = new Random(seed);
            var away = members.ToDictionary(static member => member.NodeId, _ => names.Where(_ => random.Next(20) == 0).ToHashSet());
            var told = members.Select(member => member with { Away = PartitionNote.ReadAway(PartitionNote.Write(null, away[member.NodeId])) }).ToArray();
            var assignment = PartitionAssignment.Create(told, names);
            Assert.All(members, member => Assert.True(assignment.Of(member.NodeId).Count() <= (member.MaxPartitions ?? int.MaxValue)));
            if (!Array.TrueForAll(members, static member => member.MaxPartitions is null))
            {
                return;
            }

            // There is room: each has a node, and one that stays away only where all do, as the others read it.
            Assert.Equal(names.Length, assignment.Count);
            var read = told.ToDictionary(static member => member.NodeId, static member => AbsenceFilter.Parse(member.Away));
            Assert.All(names, name => Assert.True(
                !away[assignment.Find(name)!].Contains(name) || read.Values.All(other => other.Contains(PartitionHash.Of(name))), name));
        });

    [Fact]
    public void A_partition_that_one_node_stays_away_from_moves_and_little_else_does()
    {
        var names = Enumerable.Range(0, 60).Select(static number => $"{number}").ToArray();
        PartitionMember[] members = [Member("a-1-x"), Member("b-2-y"), Member("c-3-z")];
        var before = PartitionAssignment.Create(members, names);
        var after = PartitionAssignment.Create(members.Select(static member => member.NodeId == "a-1-x" ? member with { Away = AbsenceFilter.None.With(PartitionHash.Of("0")).ToString() } : member), names);
        Assert.Equal("a-1-x", before.Find("0"));
        Assert.NotEqual("a-1-x", after.Find("0"));
        Assert.InRange(names.Count(name => before.Find(name) != after.Find(name)), 1, 3);
    }

    [Fact]
    public void A_node_that_stays_away_from_some_leads_as_many_others_as_it_may()
    {
        PartitionMember[] members = [Member("a-1-x", max: 3), Member("b-2-y", max: 3)];
        string[] names = ["0", "1", "2", "3", "4"];
        var its = PartitionAssignment.Create(members, names).Of("a-1-x").ToList();
        var away = its.Aggregate(AbsenceFilter.None, static (all, name) => all.With(PartitionHash.Of(name)));
        var after = PartitionAssignment.Create([members[0] with { Away = away.ToString() }, members[1]], names);
        Assert.Equal(5, after.Count);
        Assert.All(its, name => Assert.Equal("b-2-y", after.Find(name)));
    }

    [Fact]
    public void Nodes_that_are_full_make_room_for_what_others_stay_away_from() =>
        Gen.Select(Gen.Int[2, 6], Gen.Int[1, 8], Gen.Int).Sample((nodes, each, seed) =>
        {
            var random = new Random(seed);
            var names = Enumerable.Range(0, nodes * each).Select(static number => $"{number}").ToArray();

            // Together they may lead just what there is. Each stays away from a part, and never two from the same.
            var away = names.Where(_ => random.Next(3) == 0).ToLookup(_ => random.Next(nodes));
            var members = Enumerable.Range(0, nodes).Select(node => Member($"{node}-1-x", max: each) with
            {
                Away = away[node].Aggregate(AbsenceFilter.None, static (all, name) => all.With(PartitionHash.Of(name))).ToString(),
            }).ToArray();
            var assignment = PartitionAssignment.Create(members, names);
            Assert.Equal(names.Length, assignment.Count);
            Assert.All(members, member => Assert.Equal(each, assignment.Of(member.NodeId).Count()));

            // Whether each of them can be led by one that does not stay away from it is known: by as many others as there are, less one, if no node has more to avoid than the others may lead.
            var read = members.ToDictionary(static member => member.NodeId, static member => AbsenceFilter.Parse(member.Away));
            if (nodes > 2 && away.All(part => part.Count() <= each))
            {
                Assert.All(names, name => Assert.False(read[assignment.Find(name)!].Contains(PartitionHash.Of(name)) && read.Values.Count(other => other.Contains(PartitionHash.Of(name))) == 1, name));
            }
        });

    [Fact]
    public void A_node_that_may_lead_none_for_now_leads_none()
    {
        var assignment = PartitionAssignment.Create([Member("a-1-x", max: PartitionNote.Read(PartitionNote.Write(0, []))), Member("b-2-y")], ["0", "1", "2"]);
        Assert.Equal((0, 3), (assignment.Of("a-1-x").Count(), assignment.Of("b-2-y").Count()));
    }

    [Fact]
    [Promise("G15")]
    public void What_a_node_says_to_the_others_is_understood_by_other_releases()
    {
        Assert.Null(PartitionNote.Write(null, []));
        Assert.Equal("max=5", PartitionNote.Write(5, []));
        const string a = "AAAAAAACAAAAAAAAAAAAAAAAAAAAAAAAAAAAIAAAAAAAAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABAAAAAAAAAgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEA";
        Assert.Equal("max=5 away=" + a, PartitionNote.Write(5, ["a"]));
        Assert.Equal((5, a), (PartitionNote.Read("later=1 max=5 away=" + a), PartitionNote.ReadAway("later=1 max=5 away=" + a)));
        Assert.All((string?[])[null, "", "later", "!", "AAAA:later"], text => Assert.False(AbsenceFilter.Parse(text).Contains(PartitionHash.Of("a"))));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(100, 2)]
    [InlineData(1_000, 1_100)]
    [InlineData(100_000, 10_000)]
    public void However_many_partitions_a_node_stays_away_from_all_of_them_are_told(int count, int mostTakenForOne)
    {
        var note = PartitionNote.Write(100_000, Enumerable.Range(0, count).Select(static number => $"{number}"))!;
        Assert.InRange(note.Length, 1, 1024);
        var read = AbsenceFilter.Parse(PartitionNote.ReadAway(note));
        Assert.All(Enumerable.Range(0, count), number => Assert.True(read.Contains(PartitionHash.Of($"{number}"))));
        Assert.InRange(Enumerable.Range(0, 10_000).Count(number => read.Contains(PartitionHash.Of($"other {number}"))), 0, mostTakenForOne);
    }

    private static PartitionMember Member(string nodeId, int? max = null) => new() { NodeId = nodeId, Since = default, MaxPartitions = max };
    [Theory]
    [Promise("G13")]
    [InlineData(1)]
    [InlineData(200)]
    public void A_name_with_half_a_surrogate_pair_has_no_lock_however_long_it_is(int length)
    {
        // Half of one pair and half of another would be written alike.
        var names = new PartitionLockNames(new string('s', 400)).Validate();
        var name = new string('x', length) + '\uD83D';
        Assert.ThrowsAny<ArgumentException>(() => names.Of(name));
        Assert.Contains($"{name[..^1]}\\uD83D'", names.FindError(name), StringComparison.Ordinal);
        Assert.Null(names.FindError(name + '\uDE00'));
    }
}
