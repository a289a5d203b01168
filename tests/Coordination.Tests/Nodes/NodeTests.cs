using System.Globalization;
using Coordination.Nodes;
using Coordination.Stores;

namespace Coordination.Tests.Nodes;

public sealed class NodeTests
{
    private static readonly LockOptions Options = new()
    {
        LeaseDuration = TimeSpan.FromMinutes(1),
        AllowBarging = true,
        LockAtLeastFor = TimeSpan.FromSeconds(7),
    };

    private readonly CoordinationOptions _settings = new() { NodeName = "rack 7/ada", ClaimWindow = TimeSpan.FromSeconds(3) };

    [Fact]
    public void The_id_is_of_the_name_the_process_and_chance_and_fits_into_a_key()
    {
        var (one, other) = (new Node(_settings), new Node(_settings));
        Assert.StartsWith($"rack_7_ada-{Environment.ProcessId.ToString(CultureInfo.InvariantCulture)}-", one.Id, StringComparison.Ordinal);
        Assert.NotEqual(one.Id, other.Id);
        Assert.DoesNotContain(one.Id, c => !char.IsAsciiLetterOrDigit(c) && c is not ('.' or '-' or '_'));
    }

    [Fact]
    public void A_long_name_is_cut_and_no_name_at_all_has_one()
    {
        Assert.True(new Node(new CoordinationOptions { NodeName = new string('x', 1000) }).Id.Length < 200);
        Assert.StartsWith("node-", new Node(new CoordinationOptions { NodeName = "" }).Id, StringComparison.Ordinal);
    }

    [Fact]
    [Failure("F6")]
    public void Each_acquisition_is_an_owner_and_an_entry_of_its_own_unless_an_owner_is_given()
    {
        var node = new Node(_settings);
        var (one, other) = (node.Acquire("work", null, null, wait: false), node.Acquire("work", null, null, wait: true));
        Assert.NotEqual(one.Owner, other.Owner);
        Assert.NotEqual(one.Entry, other.Entry);
        Assert.All([one, other], request => Assert.Equal(node.Id, request.Owner.NodeId));
        Assert.Equal((false, true), (one.Wait, other.Wait));

        var own = node.CreateOwner();
        var (first, second) = (node.Acquire("work", own, null, wait: false), node.Acquire("work", own, null, wait: false));
        Assert.Equal((own, own), (first.Owner, second.Owner));
        Assert.NotEqual(first.Entry, second.Entry);
    }

    [Fact]
    public void A_request_has_what_the_node_and_the_lock_were_set_to()
    {
        var node = new Node(_settings);
        var plain = node.Acquire("work", null, null, wait: false);
        Assert.Equal((_settings.LeaseDuration, _settings.ClaimWindow, false), (plain.LeaseDuration, plain.ClaimWindow, plain.AllowBarging));
        var request = node.Acquire("work", null, Options, wait: false);
        Assert.Equal((Options.LeaseDuration, _settings.ClaimWindow, true), (request.LeaseDuration, request.ClaimWindow, request.AllowBarging));
    }

    [Fact]
    [Promise("G5")]
    public void A_release_is_of_the_grant_and_an_undo_begins_no_rest_and_ends_no_occurrence()
    {
        var node = new Node(_settings);
        var occurrence = new Occurrence { Series = "nightly", Time = DateTimeOffset.UnixEpoch, Run = "run", RememberFor = TimeSpan.FromDays(1) };
        var request = node.Acquire("work", null, Options, wait: false, occurrence: occurrence);
        var grant = new LeaseGrant("work", request.Owner, request.Entry, 42, node.TimingsOf(Options), Options);

        var release = node.Release(grant, occurrence, lasts: true);
        Assert.Equal((request.Owner, request.Entry, true), (release.Owner, release.Entry, release.AllowBarging));
        Assert.Equal((Options.LockAtLeastFor, occurrence, true), (release.LockAtLeastFor, release.Occurrence, release.OccurrenceIsFinished));

        Assert.All([node.Undo(grant, occurrence), Node.Undo(request)], undo =>
        {
            Assert.Equal((request.Owner, request.Entry, true), (undo.Owner, undo.Entry, undo.AllowBarging));
            Assert.Equal((TimeSpan.Zero, occurrence, false), (undo.LockAtLeastFor, undo.Occurrence, undo.OccurrenceIsFinished));
        });
    }

    [Fact]
    [Failure("F10")]
    public void A_renewal_is_of_one_grant_and_not_of_a_newer_one_of_the_same_owner()
    {
        var node = new Node(_settings);
        var renewal = Node.Renew(new LeaseGrant("work", node.CreateOwner(), 1, 42, node.TimingsOf(Options), Options));
        Assert.Equal(("work", 42, Options.LeaseDuration!.Value), (renewal.LockName, renewal.FencingToken.GetValueOrDefault(), renewal.LeaseDuration));
    }
}
