using Coordination.Chaos.Checking;
using Coordination.Chaos.Contenders;
using Coordination.Chaos.Faults;
using Coordination.Chaos.History;
using Coordination.Chaos.Resource;
using Coordination.Chaos.Workers;
using Coordination.TestKit.Clocks;

namespace Coordination.Chaos.Scenarios;

/// <summary>Runs a scenario, from the start of its server to the verdict.</summary>
internal static class ScenarioRun
{
    /// <summary>The prefix of all keys of this project's locks.</summary>
    public const string Prefix = "chaos";

    /// <summary>What may happen to a run that nobody planned: that something hangs.</summary>
    private static readonly TimeSpan Overtime = TimeSpan.FromMinutes(2);

    /// <param name="options">What to run.</param>
    /// <param name="stopping">Ends it early; what happened until then is judged.</param>
    /// <exception cref="RunNotStartedException">Its servers or its workers did not start.</exception>
    /// <exception cref="TimeoutException">It did not end two minutes after its time.</exception>
    public static async Task<RunResult> RunAsync(RunOptions options, CancellationToken stopping)
    {
        var folder = Directory.CreateTempSubdirectory("coordination-chaos-");
        try
        {
            return await RunAsync(options, folder.FullName, stopping).WaitAsync(options.Duration + Overtime, CancellationToken.None);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<RunResult> RunAsync(RunOptions options, string folder, CancellationToken stopping)
    {
        var scenario = options.Scenario;
        var plan = FaultPlan.Create(options.Seed, scenario.Faults, options.Duration, options.Lease, scenario.Workers, scenario.Locks, scenario.Pause * options.Lease, scenario.Recovery * options.Lease, scenario.HasLulls);
        using var history = new HistoryFile(Path.Combine(folder, "runner.jsonl"), "runner");
        await using var server = await StartedAsync(() => ServerUnderTest.StartAsync(options));
        await using var resource = new GuardedResource(isFenced: options.Contender != ContenderKind.NoFence);
        await using var fleet = new Fleet(options, server, resource, folder, history);
        await StartedAsync(async () =>
        {
            await fleet.StartAsync();
            return fleet;
        });

        var begin = MachineClock.Now;
        var wallClock = DateTimeOffset.UtcNow - DateTimeOffset.UnixEpoch - MachineClock.Now;
        await using var operatorNode = scenario.Faults.Contains(FaultKind.StepDown) ? new Operator(server, history) : null;
        using var driver = new FaultDriver(fleet, server, resource, operatorNode);
        await Task.WhenAll(driver.RunAsync(plan, stopping), Task.Delay(options.Duration, stopping).ContinueWith(_ => { }, TaskScheduler.Default));

        var end = MachineClock.Now;
        await fleet.StopAsync();
        await server.ReadAsync();
        var happened = driver.Happened.Select(d => d with { From = d.From - begin, To = d.To - begin }).ToArray();
        Disturbance[] harmful = [.. happened.Where(d => !d.IsHarmless)];
        var events = HistoryFile.ReadAll(folder).Select(happened => happened with { At = happened.At - begin }).ToArray();
        var run = RunRecord.Read(
            events,
            SettingsOf(options, fleet.Locks),
            TimeSpan.Zero,
            end - begin,
            wallClock + begin);
        run = run with
        {
            Gaps = Gap.Join(run.Gaps, harmful, events.Select(happened => happened.By).Distinct(), run.Settings.Margin),
            Disturbances = harmful,
            Writes = [.. resource.Writes.Select(write => write with { At = write.At - begin })],
            Residue = await ResidueAsync(server, options.Lease, hasFaults: happened.Length > 0, mayHaveDead: harmful.Length > 0),
            Failures = fleet.Failures,
            GuardedWrites = [.. server.GuardedWrites.Select(write => write with { At = write.At - wallClock - begin })],
            Takeovers = [.. server.Takeovers.Select(takeover => takeover with { At = takeover.At - begin })],
        };
        return new RunResult(options, plan, happened, events, run, Checker.Check(run), resource.Count);
    }

    private static async Task<T> StartedAsync<T>(Func<Task<T>> start)
    {
        try
        {
            return await start();
        }
        catch (Exception e) when (e is TimeoutException or InvalidOperationException or IOException)
        {
            throw new RunNotStartedException(e);
        }
    }

    private static RunSettings SettingsOf(RunOptions options, IReadOnlyList<string> locks) => new()
    {
        Lease = options.Lease,
        RenewalInterval = options.Scenario.RenewalInterval * options.Lease,
        Margin = Contender.IsOurs(options.Contender) ? RunOptions.Margin : TimeSpan.Zero,
        ClaimWindow = RunOptions.ClaimWindow,
        ProgressTimeout = options.Scenario.ProgressTimeout * options.Lease,
        IsOurs = Contender.IsOurs(options.Contender),
        Serves = Contender.Serves(options.Contender),
        LosesNothing = options.Scenario.Server == ServerKind.PostgreSqlSynchronous,
        Workload = options.Scenario.Workload,
        Workers = options.Scenario.Workers,
        Partitions = options.Scenario.Workload == Workload.Partitions ? locks : [],
        BalanceInterval = PartitionWorker.BalanceInterval,
    };

    /// <summary>What is on the server when the last lease is over.</summary>
    private static async Task<IReadOnlyList<string>> ResidueAsync(ServerUnderTest server, TimeSpan lease, bool hasFaults, bool mayHaveDead)
    {
        var last = MachineClock.Now + lease + TimeSpan.FromSeconds(1);
        while (true)
        {
            var left = await server.LeftAsync(hasFaults, mayHaveDead);
            if (left.Count == 0 || MachineClock.Now > last)
            {
                return left;
            }

            await Task.Delay(50);
        }
    }
}
