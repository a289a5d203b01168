using System.Globalization;
using Coordination.Redis.Tests.Servers;
using Coordination.Stores;
using Coordination.TestKit.Servers;
using Coordination.TestKit.Waiting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Coordination.Redis.Tests.Failover;

/// <summary>
/// A master dies while 20 locks are held and each is waited for on two other nodes, and its replica takes over. Who had what is
/// judged at the resource.
/// </summary>
[Needs(Need.LongTier, Need.RedisServer)]
public abstract class FailoverTests : IAsyncLifetime
{
    private const int Locks = 20;

    /// <summary>Outlasts the test: whoever waits one out, for a notification did not come, fails the bound.</summary>
    private static readonly TimeSpan LeaseDuration = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan RenewalInterval = TimeSpan.FromSeconds(2);

    /// <summary>Within what every waiter has had its turn, counted from the first write to the new master. Half a lease, for busy machines.</summary>
    private static readonly TimeSpan ServedWithin = LeaseDuration / 2;

    /// <summary>Within what a holder whose grant is gone is told, counted likewise: by a renewal, and long before its deadline.</summary>
    private static readonly TimeSpan ToldWithin = LeaseDuration / 4;

    /// <summary>Longer than a release tries by default.</summary>
    private static readonly TimeSpan Hang = new CoordinationOptions().ReleaseTimeout + TimeSpan.FromSeconds(2);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string[] _names = [.. Enumerable.Range(0, Locks).Select(i => $"lock-{i}")];
    private readonly Dictionary<string, Journal> _journals;
    private readonly List<TestNode> _nodes = [];
    private RedisTopology? _topology;

    protected FailoverTests() => _journals = _names.ToDictionary(name => name, _ => new Journal());

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private RedisProcess Master => _topology!.Masters[0];

    private RedisProcess Replica => _topology!.Replicas[0];

    protected abstract Task<RedisTopology> StartAsync();

    /// <summary>Whether a lock is on the master that dies, which is the first.</summary>
    protected virtual bool IsOnMasterThatDies(string lockName) => true;

    public async ValueTask InitializeAsync()
    {
        _topology = await StartAsync();
        while (_nodes.Count < 3)
        {
            _nodes.Add(new TestNode(
                builder => builder.UseRedis(_topology.ConnectionString),
                options =>
                {
                    (options.LeaseDuration, options.RenewalInterval) = (LeaseDuration, RenewalInterval);

                    // One node is back later than another. A release that gives up by then leaves its lock to lapse, as it is to, and who waits for it waits out the lease.
                    options.ReleaseTimeout = ServedWithin;
                }));
        }
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await Task.WhenAll(_nodes.Select(node => node.DisposeAsync().AsTask()));
        if (_topology is not null)
        {
            await _topology.DisposeAsync();
        }
    }

    [Fact]
    [Failure("F29")]
    public async Task Grants_that_were_replicated_are_kept_and_every_waiter_is_served()
    {
        var (leases, waiting) = await HoldAndWaitAsync();
        await ReplicateAsync();
        using var work = new CancellationTokenSource();
        var holders = leases.Select(lease => HoldAsync(lease, work.Token)).ToArray();

        var outage = await FailOverAsync();
        await work.CancelAsync();
        var served = await ServedAsync(waiting);

        await Task.WhenAll(holders);
        Assert.All(leases, lease => Assert.Null(lease.LossReason));
        Judge();
        Report("replicated", outage, served, lost: 0, TimeSpan.Zero);
    }

    [Fact]
    [Failure("F29")]
    public async Task Holders_of_grants_that_were_not_replicated_are_told_and_every_waiter_is_served()
    {
        await StopReplicationAsync();
        var (leases, waiting) = await HoldAndWaitAsync();
        var (gone, kept) = (leases.Where(lease => IsOnMasterThatDies(lease.LockName)).ToArray(), leases.Where(lease => !IsOnMasterThatDies(lease.LockName)).ToArray());
        using var work = new CancellationTokenSource();
        var holders = leases.Select(lease => HoldAsync(lease, work.Token)).ToArray();

        var outage = await FailOverAsync();
        var start = TimeProvider.System.GetTimestamp();
        await Eventually.IsTrueAsync(() => gone.All(lease => lease.Lost.IsCancellationRequested), ToldWithin, "the holders are told");
        var told = TimeProvider.System.GetElapsedTime(start);
        await work.CancelAsync();
        var served = await ServedAsync(waiting);

        await Task.WhenAll(holders);
        Assert.All(gone, lease => Assert.Equal(LeaseLossReason.NotOwner, lease.LossReason));
        Assert.All(kept, lease => Assert.Null(lease.LossReason));
        Judge();
        Report("not replicated", outage, told + served, gone.Length, told);
    }

    /// <summary>What a busy machine does now and then: a node is not back by the time when a release would give up by default.</summary>
    [Fact]
    [Failure("F28", "F29")]
    public async Task Every_waiter_is_served_when_the_new_master_hangs_as_holders_release()
    {
        var (leases, waiting) = await HoldAndWaitAsync();
        await ReplicateAsync();
        await FailOverAsync();

        Replica.Pause();
        var start = TimeProvider.System.GetTimestamp();
        var releases = leases.Select(lease => lease.ReleaseAsync(Token)).ToArray();
        await Eventually.IsTrueAsync(() => TimeProvider.System.GetElapsedTime(start) >= Hang, Patience, "it has hung for long enough");
        Replica.Resume();

        await ServedAsync(waiting);
        Assert.All(await Task.WhenAll(releases), result => Assert.Equal(ReleaseResult.Released, result));
    }

    /// <summary>A grant that a failover would lose is not given out where the option asks for a replica's word.</summary>
    [Fact]
    [Failure("F29")]
    public async Task A_grant_that_no_replica_confirms_is_refused()
    {
        await using var node = new TestNode(builder => builder.UseRedis(_topology!.ConnectionString, options => options.ReplicasToWaitFor = 1));
        var name = _names.First(IsOnMasterThatDies);
        var request = Requests.Acquire(name, new LockOwner("ada", 1), LeaseDuration);

        // The examination of the server asks for a replica's word as well, which is late on a busy machine.
        await Eventually.IsTrueAsync(async () => await IsFitAsync(node), Patience, "the server is fit");
        Replica.Pause();

        var error = await Assert.ThrowsAsync<LockStoreException>(() => node.Store.AcquireAsync(request, Token));

        Assert.True(error.IsTransient, error.ToString());
        Assert.Contains("0 of 1 replicas", error.Message, StringComparison.Ordinal);
        Replica.Resume();
        await Eventually.IsTrueAsync(async () => await RepliesAsync(node, request), Patience, "the replica confirms");
    }

    /// <summary>Each lock is held by one node, and waited for by the two others.</summary>
    private async Task<(ILockLease[] Leases, Task[] Waiting)> HoldAndWaitAsync()
    {
        var leases = await Task.WhenAll(_names.Select((name, i) => LockOn(i, name).AcquireAsync(Token))).WaitAsync(Patience, Token);
        var waiting = _names.SelectMany((name, i) => (Task[])[TakeTurnAsync(LockOn(i + 1, name)), TakeTurnAsync(LockOn(i + 2, name))]).ToArray();
        foreach (var name in _names)
        {
            await Eventually.IsTrueAsync(async () => (await _nodes[0].Inspector.InspectAsync(name, cancellationToken: Token)).WaiterCount == 2, Patience, "the waiters are in the queue");
        }

        return (leases, waiting);
    }

    private ILock LockOn(int node, string name) => _nodes[node % _nodes.Count].Services.GetRequiredService<ILockProvider>().GetLock(name);

    /// <summary>Works under the lease until it is lost, or until the work is done.</summary>
    private async Task HoldAsync(ILockLease lease, CancellationToken done)
    {
        await using (lease)
        {
            await Eventually.IsTrueAsync(
                () =>
                {
                    _journals[lease.LockName].TryWrite(lease);
                    return lease.Lost.IsCancellationRequested || done.IsCancellationRequested;
                },
                2 * Patience,
                "the work is done");
        }
    }

    /// <summary>Waits for the lock, and writes once: a grant that nobody has taken away is never refused.</summary>
    private async Task TakeTurnAsync(ILock @lock)
    {
        await using var lease = await @lock.AcquireAsync(Token);
        Assert.True(_journals[@lock.Name].TryWrite(lease), $"The resource refused {lease.Owner} with the token {lease.FencingToken}.");
    }

    /// <summary>Waits until the replica has what the master has now.</summary>
    private async Task ReplicateAsync()
    {
        var offset = await OffsetAsync(Master, "master_repl_offset");
        await Eventually.IsTrueAsync(async () => await OffsetAsync(Replica, "slave_repl_offset") >= offset, Patience, "the replica has it all");
    }

    private static async Task<long> OffsetAsync(RedisProcess server, string field)
    {
        var info = (string)(await RedisTopology.AskAsync(server, "INFO", "replication"))!;
        var line = info.Split('\n', StringSplitOptions.TrimEntries).Single(line => line.StartsWith(field + ':', StringComparison.Ordinal));
        return long.Parse(line[(field.Length + 1)..], CultureInfo.InvariantCulture);
    }

    /// <summary>The replica loses its connection and gets no other. It stays up, and can take over.</summary>
    private async Task StopReplicationAsync()
    {
        await ReplicateAsync();
        await RedisTopology.AskAsync(Master, "ACL", "SETUSER", "default", "-psync", "-sync");
        await RedisTopology.AskAsync(Master, "CLIENT", "KILL", "TYPE", "replica");
        await Eventually.IsTrueAsync(
            async () => ((string)(await RedisTopology.AskAsync(Replica, "INFO", "replication"))!).Contains("master_link_status:down", StringComparison.Ordinal),
            Patience,
            "the replica is cut off");
    }

    /// <summary>Kills the master.</summary>
    /// <returns>How long it takes until a node's request for a lock has a reply again.</returns>
    private async Task<TimeSpan> FailOverAsync()
    {
        var name = Enumerable.Range(0, 1000).Select(i => $"probe-{i}").First(IsOnMasterThatDies);
        var request = Requests.Acquire(name, new LockOwner("probe", 1), LeaseDuration);
        await Master.KillAsync();
        var start = TimeProvider.System.GetTimestamp();
        await Eventually.IsTrueAsync(async () => await RepliesAsync(_nodes[0], request), Patience, "the replica takes over");
        return TimeProvider.System.GetElapsedTime(start);
    }

    private static async Task<bool> RepliesAsync(TestNode node, AcquireRequest request)
    {
        try
        {
            return (await node.Store.AcquireAsync(request, Token)).IsGranted;
        }
        catch (LockStoreException away)
        {
            Assert.True(away.IsTransient, away.ToString());
            return false;
        }
    }

    private static async Task<bool> IsFitAsync(TestNode node)
    {
        try
        {
            await node.Administration.PingAsync(Token);
            return true;
        }
        catch (LockStoreException late) when (late.IsTransient)
        {
            return false;
        }
    }

    private async Task<TimeSpan> ServedAsync(Task[] waiting)
    {
        var start = TimeProvider.System.GetTimestamp();
        try
        {
            await Task.WhenAll(waiting).WaitAsync(ServedWithin, Token);
        }
        catch (TimeoutException)
        {
            var warnings = _nodes.SelectMany((node, i) => node.Logs.GetSnapshot().Where(line => line.Level >= LogLevel.Warning).Select(line => $"{line.Timestamp:O} node {i}: {line.Message}"));
            Assert.Fail($"{waiting.Count(turn => !turn.IsCompleted)} of {waiting.Length} waiters are not served. What the nodes say:\n{string.Join('\n', warnings)}");
        }

        return TimeProvider.System.GetElapsedTime(start);
    }

    private void Judge() => Assert.All(_journals.Values, journal => journal.AssertOneAtATime(count: 3));

    private void Report(string grants, TimeSpan outage, TimeSpan served, int lost, TimeSpan told)
    {
        var line = string.Create(
            CultureInfo.InvariantCulture,
            $"{GetType().Name}, grants {grants}: first write {outage.TotalSeconds:0.00} s after the kill, all {2 * Locks} waiters served {served.TotalSeconds:0.00} s after that; "
            + $"{lost} of {Locks} grants lost, their holders told {told.TotalSeconds:0.00} s after the first write; {_journals.Values.Sum(journal => journal.Refusals)} late writes refused by the resource");
        TestContext.Current.TestOutputHelper?.WriteLine(line);
        Console.WriteLine(line);
    }
}
