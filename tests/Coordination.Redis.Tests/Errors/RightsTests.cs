using Coordination.Redis.Errors;
using Coordination.Redis.Tests.Servers;
using Coordination.TestKit.Servers;
using Coordination.TestKit.Waiting;

namespace Coordination.Redis.Tests.Errors;

/// <summary>
/// F30: users who lack one of the rights that locks need. The examination at start finds each of them. On a server of its own, to
/// which nobody else sends scripts.
/// </summary>
[Needs(Need.RedisServer)]
public sealed class RightsTests(AclFixture server, ClusterFixture cluster) : IClassFixture<AclFixture>
{
    private static readonly string[] Patterns = ["~test-*:*", "&test-*:*"];

    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(3);

    private static readonly string[] All = RedisErrorClassifier.RequiredRights.Split(' ');

    /// <summary>
    /// Without +unsubscribe a node works as well, and leaves its channel open on a connection that goes on. +ping is for the client library, by
    /// which it keeps a connection up that is idle.
    /// </summary>
    public static TheoryData<string> Rights => [.. All.Except(["+unsubscribe", "+ping"])];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>So none of them may be left out, and the error says which it is.</summary>
    [Theory]
    [Failure("F30")]
    [MemberData(nameof(Rights))]
    public async Task A_command_that_is_missing_is_named(string right)
    {
        var error = await RefusalAsync([.. Patterns, .. All.Except([right])]);

        Assert.False(error.IsTransient, error.ToString());
        Assert.Contains(right, error.Message.Split(' ', ';'));
    }

    /// <summary>Whose lock it is, the server does not say.</summary>
    [Fact]
    [Failure("F11", "F58")]
    public async Task A_right_that_is_taken_away_brings_a_lease_in_doubt_and_loses_none()
    {
        var user = NewUser();
        await using var node = await NodeAsync(server, [.. Patterns, .. All], user);
        await using var lease = await node.GetLock("orders").AcquireAsync(Token);
        await using var connection = await server.ConnectAsOperatorAsync();
        await connection.GetServers()[0].ExecuteAsync("ACL", ["SETUSER", user, "-get"]);

        Assert.Equal(RenewalResult.Unknown, await lease.RenewAsync(Token));
        Assert.Equal(LeaseState.InDoubt, lease.State);
    }

    [Theory]
    [Failure("F30")]
    [InlineData("~other:*", "&test-*:*", "~{prefix}:*")]
    [InlineData("~test-*:*", "&other:*", "&{prefix}:*")]
    public async Task A_pattern_that_is_missing_is_named(string keys, string channels, string named)
    {
        var error = await RefusalAsync([keys, channels, .. All]);

        Assert.False(error.IsTransient, error.ToString());
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
    }

    /// <summary>The client finds the servers of a Cluster by their map.</summary>
    [Fact]
    [Failure("F31")]
    public async Task A_Cluster_needs_one_more_right_and_an_error_names_it_when_it_is_missing()
    {
        await using var lacking = await NodeAsync(cluster, [.. Patterns, .. All]);
        await using var node = await NodeAsync(cluster, [.. Patterns, .. All, "+cluster|nodes"]);
        // On all three masters.
        var requests = Enumerable.Range(0, 20).Select(i => Requests.Acquire($"lock-{i}", new LockOwner("ada", 1), Lease)).ToArray();

        foreach (var request in requests)
        {
            Assert.True((await node.Store.AcquireAsync(request, Token)).IsGranted);
        }

        var error = await Assert.ThrowsAsync<LockStoreException>(
            async () => await Task.WhenAll(requests.Select(request => lacking.Store.AcquireAsync(request, Token))));
        Assert.Contains("+cluster|nodes", error.Message, StringComparison.Ordinal);
    }

    private static string NewUser() => "user-" + Guid.NewGuid().ToString("N")[..8];

    private async Task<LockStoreException> RefusalAsync(string[] rights)
    {
        await using (var connection = await server.ConnectAsOperatorAsync())
        {
            // Scripts that the server knows already need not be sent to it.
            await connection.GetServers()[0].ScriptFlushAsync();
        }

        await using var node = await NodeAsync(server, rights);
        LockStoreException? error = null;

        // The connection may still be under way, or be lost by a refusal of what the client itself asks; then there is nobody to refuse.
        await Eventually.IsTrueAsync(
            async () => !(error = await Assert.ThrowsAsync<LockStoreException>(() => node.RedisStore.EnsureFitAsync(Token))).IsTransient,
            TimeSpan.FromSeconds(20),
            "the server refuses");
        TestContext.Current.TestOutputHelper?.WriteLine(error!.Message);
        return error!;
    }

    /// <summary>A node that is a user of its own.</summary>
    private static async Task<TestNode> NodeAsync(ServerFixture fixture, string[] rights, string? name = null)
    {
        var user = name ?? NewUser();
        await using (var connection = await fixture.ConnectAsOperatorAsync())
        {
            // A node that knows what server it is need not race scripts.
            await Task.WhenAll(connection.GetServers().Select(
                one => one.ExecuteAsync("ACL", ["SETUSER", user, "on", ">password", "+info", .. rights])));
        }

        var settings = await fixture.GetSettingsAsync();
        (settings.User, settings.Password) = (user, "password");
        return new TestNode(settings, "test-" + user, probe: true);
    }
}
