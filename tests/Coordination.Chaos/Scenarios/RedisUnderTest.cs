using Coordination.Chaos.Faults;
using Coordination.TestKit.Clocks;
using Coordination.TestKit.Servers;
using StackExchange.Redis;

namespace Coordination.Chaos.Scenarios;

/// <summary>The Redis of a run, and what is done to it.</summary>
internal sealed class RedisUnderTest : ServerUnderTest
{
    /// <summary>The lock's record, its waiters, and until when they count as alive.</summary>
    private const int KeysOfLock = 3;

    /// <summary>How long workers may take to find the primary that another server has become, when a lease has passed and the last of them has asked.</summary>
    private static readonly TimeSpan Search = TimeSpan.FromSeconds(4);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private readonly RedisTopology? _topology;
    private readonly List<RedisProcess> _masters;
    private readonly List<RedisProcess> _replicas;
    private readonly ProcessClock? _clock;
    private TimeSpan _clockLead;

    private RedisUnderTest(ServerKind kind, RedisProcess? single, RedisTopology? topology, ProcessClock? clock = null)
        : base(kind)
    {
        _clock = clock;
        _topology = topology;
        _masters = single is null ? [.. topology!.Masters] : [single];
        _replicas = single is null ? [.. topology!.Replicas] : [];
    }

    public override int? Port => Kind < ServerKind.Sentinel ? _masters[0].Port : null;

    public override string ConnectionString => _topology?.ConnectionString ?? _masters[0].ConnectionString;

    public override string ConnectionStringOf(string process, int? proxyPort) => proxyPort is null ? ConnectionString : $"127.0.0.1:{proxyPort}";

    public static Task<RedisUnderTest> StartAsync(Scenario scenario) => scenario.ServerHasClock ? StartWithClockAsync() : StartAsync(scenario.Server);

    public override async Task<ServerLoss> StrikeAsync(Fault fault, string lockName, string worker, Fleet fleet)
    {
        Loss? loss = null;
        var isCertain = true;
        switch (fault.Kind)
        {
            case FaultKind.RestartServer:
                loss = Kind == ServerKind.Journaled ? null : new Loss();
                await RestartAsync(fault.Length);
                break;
            case FaultKind.FlushAll:
                loss = new Loss();
                await AskAsync("FLUSHALL");
                break;
            case FaultKind.FlushScripts:
                await AskAsync("SCRIPT", "FLUSH");
                break;
            case FaultKind.KillClients:
                await AskAsync("CLIENT", "KILL", "TYPE", "pubsub");
                await AskAsync("CLIENT", "KILL", "TYPE", "normal");
                break;
            case FaultKind.PauseClients:
                await AskAsync("CLIENT", "PAUSE", (int)fault.Length.TotalMilliseconds);
                await Task.Delay(fault.Length);
                break;
            case FaultKind.SleepServer:
                await AskAsync("DEBUG", "SLEEP", fault.Length.TotalSeconds);
                break;
            case FaultKind.DeleteKeys:
                loss = new Loss(lockName);
                string[] parts = fault.AtHolder ? [""] : ["", ":waiters", ":alive"];
                await AskAsync("DEL", [.. parts.Select(part => LockText.KeyOf(ScenarioRun.Prefix, lockName) + part), lockName, "redlock:" + lockName]);
                break;
            case FaultKind.ExhaustMemory:
                await AskAsync("CONFIG", "SET", "maxmemory", 1);
                await Task.Delay(fault.Length);
                await AskAsync("CONFIG", "SET", "maxmemory", 0);
                break;
            case FaultKind.Demote:
                await DemoteAsync();
                fleet.LeadTo(Port!.Value);
                for (var end = MachineClock.Now + fleet.Lease + Search; MachineClock.Now < end && await CountStayedAsync() > 0;)
                {
                    await Task.Delay(50);
                }

                break;
            case FaultKind.MoveSlot:
                await MoveSlotAsync(lockName, fault.Length);
                break;
            case FaultKind.SetClockForward:
                // Leases are over, but for those that were lengthened when it was set back.
                loss = new Loss();
                isCertain = MoveClock(fault.Size) >= fleet.Lease;
                break;
            case FaultKind.SetClockBack:
                MoveClock(-fault.Size);
                break;
            case FaultKind.FailOver or FaultKind.KillClusterNode:
                // What was not replicated is lost.
                (loss, isCertain) = (new Loss(), false);
                await FailOverAsync(lockName);
                break;
        }

        return new ServerLoss(loss, loss is not null && isCertain);
    }

    /// <summary>Sets the wall clock of the server.</summary>
    /// <returns>How much further it is ahead than it ever was: every lease that is shorter is over for certain.</returns>
    private TimeSpan MoveClock(TimeSpan by)
    {
        var lead = _clock!.Offset + by - _clockLead;
        _clockLead += lead > TimeSpan.Zero ? lead : TimeSpan.Zero;
        _clock.Offset += by;
        return lead;
    }

    private async Task RestartAsync(TimeSpan after)
    {
        await _masters[0].KillAsync();
        await Task.Delay(after);
        await _masters[0].StartAgainAsync();
    }

    private Task<RedisResult> AskAsync(string command, params object[] arguments) => RedisTopology.AskAsync(_masters[0], command, arguments);

    /// <summary>Kills a master, and waits until its replica has taken over.</summary>
    /// <param name="lockName">Of a Cluster: the master that has this lock.</param>
    private async Task FailOverAsync(string lockName)
    {
        var i = Kind == ServerKind.Cluster ? RedisCluster.MasterOf(await SlotOfAsync(lockName)) : 0;
        await _masters[i].KillAsync();
        await UntilAsync(() => IsMasterAsync(_replicas[i]), "No replica took over");
        (_masters[i], _replicas[i]) = (_replicas[i], _masters[i]);
    }

    /// <summary>Has the primary and its replica change places when the replica has all that was written. Connections stay with the server that they lead to.</summary>
    private async Task DemoteAsync()
    {
        await UntilAsync(async () => (await InfoAsync(_masters[0], "replication")).Contains("state=online", StringComparison.Ordinal), "The replica is not online");
        await AskAsync("FAILOVER");
        await UntilAsync(async () => await IsMasterAsync(_replicas[0]), "No replica took over");
        (_masters[0], _replicas[0]) = (_replicas[0], _masters[0]);
    }

    /// <summary>How many connections of workers lead to the server that was the primary before.</summary>
    private async Task<int> CountStayedAsync() =>
        ((string)(await RedisTopology.AskAsync(_replicas[0], "CLIENT", "LIST", "TYPE", "normal"))!).Split(" name=coordination:").Length - 1;

    /// <summary>Moves the slot of a lock to another master, in about the time that is given.</summary>
    private async Task MoveSlotAsync(string lockName, TimeSpan length) =>
        await ((RedisCluster)_topology!).MoveSlotAsync(await SlotOfAsync(lockName), length / (KeysOfLock + 1));

    /// <summary>
    /// The records of locks that nobody holds and the fires are remembered for two days; the place of a waiter that died goes with its queue, and what a node tried the server with
    /// stays as long, where the node died or the server refused before it was deleted. Nothing lasts for ever.
    /// </summary>
    public override async Task<IReadOnlyList<string>> LeftAsync(bool hasFaults, bool mayHaveDead)
    {
        return
        [
            .. (await KeysAsync()).Where(key => (key.IsHeld && !IsOfTrial(key.Key)) || !MayStay(key.Key, key.TimeToLive))
                .Select(key => $"{key.Key} is left on the server, {(key.TimeToLive is { } rest ? $"for {rest}" : "for ever")}."),
        ];

        // A trial that a fault broke off holds its lock for a lease of its own, which is longer than those of the run.
        bool IsOfTrial(string key) => hasFaults && key.Contains("{probe-", StringComparison.Ordinal);

        bool MayStay(string key, TimeSpan? timeToLive) => timeToLive is { } rest && key.Split(':')[^1] switch
        {
            "waiters" or "alive" => mayHaveDead && rest <= TimeSpan.FromDays(2),
            _ => key.Contains(":occurrence:", StringComparison.Ordinal) || (key.EndsWith('}') && (IsOfTrial(key) || !key.Contains("{probe-", StringComparison.Ordinal))),
        };
    }

    /// <summary>All keys on all masters, with how long they last, null for ever, and whether they are records of locks that are held.</summary>
    private async Task<IReadOnlyList<(string Key, TimeSpan? TimeToLive, bool IsHeld)>> KeysAsync()
    {
        var found = new List<(string, TimeSpan?, bool)>();
        foreach (var master in _masters)
        {
            await using var connection = await master.ConnectAsOperatorAsync();
            foreach (var key in connection.GetServer(master.ConnectionString).Keys(pattern: "*", pageSize: 1000))
            {
                var ms = (long)await connection.GetServer(master.ConnectionString).ExecuteAsync("PTTL", [key.ToString()]);
                if (ms != -2)
                {
                    found.Add((key.ToString(), ms < 0 ? null : TimeSpan.FromMilliseconds(ms), await IsHeldAsync(connection.GetServer(master.ConnectionString), key.ToString())));
                }
            }
        }

        return found;
    }

    private static async Task<bool> IsHeldAsync(IServer server, string key)
    {
        if (!key.StartsWith(ScenarioRun.Prefix + ":v2:", StringComparison.Ordinal) || !key.EndsWith('}'))
        {
            return false;
        }

        var time = (long[])(await server.ExecuteAsync("TIME"))!;
        var now = (time[0] * 1_000_000) + time[1];
        if ((string?)await server.ExecuteAsync("TYPE", [key]) == "hash")
        {
            var fields = (string[]?)await server.ExecuteAsync("HGETALL", [key]);
            return fields!.Chunk(2).Any(field => GrantText.IsGrant(field[0]) && GrantText.RestAt(field[1], now) > TimeSpan.Zero);
        }

        return (string?)await server.ExecuteAsync("GET", [key]) is { } text && LockText.Parse(text).RestAt(now) > TimeSpan.Zero;
    }

    public override async ValueTask DisposeAsync()
    {
        await (_topology?.DisposeAsync() ?? _masters[0].DisposeAsync());
        _clock?.Dispose();
    }

    private static async Task<RedisUnderTest> StartAsync(ServerKind kind) => kind switch
    {
        ServerKind.Pair => new RedisUnderTest(kind, null, await RedisPair.StartAsync()),
        ServerKind.Sentinel => new RedisUnderTest(kind, null, await RedisSentinel.StartAsync(downAfter: TimeSpan.FromSeconds(1))),
        ServerKind.Cluster => new RedisUnderTest(kind, null, await RedisCluster.StartAsync(nodeTimeout: TimeSpan.FromSeconds(1), withReplicas: true)),
        ServerKind.Masters => new RedisUnderTest(kind, null, await RedisCluster.StartAsync(nodeTimeout: Patience)),
        ServerKind.Journaled => new RedisUnderTest(kind, await RedisProcess.StartAsync("--enable-debug-command", "local", "--appendonly", "yes", "--appendfsync", "always"), null),
        _ => new RedisUnderTest(kind, await RedisProcess.StartAsync("--enable-debug-command", "local"), null),
    };

    private static async Task<RedisUnderTest> StartWithClockAsync()
    {
        var clock = await ProcessClock.CreateAsync();
        return new RedisUnderTest(ServerKind.InMemory, await RedisProcess.StartAsync(clock), null, clock);
    }

    private static async Task UntilAsync(Func<Task<bool>> condition, string complaint)
    {
        for (var limit = Task.Delay(Patience); !await condition();)
        {
            if (limit.IsCompleted)
            {
                throw new TimeoutException($"{complaint} within {Patience}.");
            }

            await Task.Delay(50);
        }
    }

    private static async Task<string> InfoAsync(RedisProcess process, string section) => (string)(await RedisTopology.AskAsync(process, "INFO", section))!;

    private static async Task<bool> IsMasterAsync(RedisProcess process)
    {
        try
        {
            return ((RedisResult[])(await RedisTopology.AskAsync(process, "ROLE"))!)[0].ToString() == "master";
        }
        catch (RedisException)
        {
            // Too busy to reply: it is asked again.
            return false;
        }
    }

    /// <summary>The slot of a lock's keys, which all have its name as their hash tag.</summary>
    private async Task<int> SlotOfAsync(string lockName) => (int)await RedisTopology.AskAsync(_masters[0], "CLUSTER", "KEYSLOT", lockName);
}
