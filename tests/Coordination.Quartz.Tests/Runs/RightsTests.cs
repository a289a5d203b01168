using Coordination.Quartz.Tests.Jobs;
using Coordination.Quartz.Tests.Schedulers;
using Coordination.Stores;
using Coordination.TestKit.Servers;
using Microsoft.Extensions.DependencyInjection;
using Quartz;
using StackExchange.Redis;

namespace Coordination.Quartz.Tests.Runs;

/// <summary>Jobs of a user of Redis that has the rights which README lists, and no others.</summary>
[Promise("G12")]
[Needs(Need.RedisServer)]
public sealed class RightsTests : NodesTest
{
    private const string Prefix = "rights";

    private int _looks;

    /// <summary>A server that is gone, and one that hangs.</summary>
    [Theory]
    [Failure("F81")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_fire_that_waits_runs_anyway_when_the_server_goes_away(bool hangs)
    {
        await using var server = await StartServerAsync();
        await using var connection = await ConnectAsOperatorAsync(server);
        var (holder, node) = (await StartAsync(server, "holder"), await StartAsync(server, "ada"));

        // The start asks also for what it can do without.
        await connection.GetServers()[0].ExecuteAsync("ACL", "LOG", "RESET");
        var stage = holder.Services.GetRequiredService<Stage>();
        stage.Act = (_, _) => stage.HoldOutAsync();
        await holder.Quartz.TriggerJob(Job, Cancellation);
        await UntilAsync(() => Ledger.Runs.Count == 1, "the holder runs the job");
        await node.Quartz.TriggerJob(Job, Cancellation);

        // The first has had its reply when the second comes.
        await UntilAsync(() => Volatile.Read(ref _looks) >= 2, "the fire looks whether the server is away");
        Assert.DoesNotContain(await ReadRefusalsAsync(connection), refusal => refusal.Contains("lua"));
        Assert.Single(Ledger.Runs);
        await TakeAwayAsync(server, hangs);
        await UntilAsync(() => node.Verdicts.All.Count == 1, "the fire is over");
        Assert.Null(Assert.Single(Ledger.Runs, run => run.Scheduler == "ada").Token);
    }

    [Theory]
    [Failure("F81")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_fire_that_comes_while_the_server_is_away_runs_anyway(bool hangs)
    {
        await using var server = await StartServerAsync();
        var node = await StartAsync(server, "ada");
        await TakeAwayAsync(server, hangs);
        await node.Quartz.TriggerJob(Job, Cancellation);
        await UntilAsync(() => node.Verdicts.All.Count == 1, "the fire is over");
        Assert.Null(Assert.Single(Ledger.Runs).Token);
    }

    private static async Task<RedisProcess> StartServerAsync()
    {
        var page = await File.ReadAllLinesAsync(Path.Combine(AppContext.BaseDirectory, "README.md"), Cancellation);
        var rights = Assert.Single(page, line => line.StartsWith("ACL SETUSER app on >PASSWORD ", StringComparison.Ordinal)).Split(' ')[5..];
        return await RedisProcess.StartAsync(
        [
            "--user", "default", "off",
            "--user", "operator", "on", ">operator-password", "~*", "&*", "+@all",
            "--user", "app", "on", ">app-password", .. rights.Select(right => right.Replace("coordination:", Prefix + ":", StringComparison.Ordinal)),
        ]);
    }

    private static async Task<ConnectionMultiplexer> ConnectAsOperatorAsync(RedisProcess server) => await server.ConnectAsOperatorAsync(",user=operator,password=operator-password");

    /// <summary>What the server refused; also what the client asks by itself, and does without.</summary>
    private static async Task<IEnumerable<string[]>> ReadRefusalsAsync(ConnectionMultiplexer connection) =>
        ((RedisResult[])(await connection.GetServers()[0].ExecuteAsync("ACL", "LOG"))!).Select(refusal => (string[])refusal!);

    private static async Task TakeAwayAsync(RedisProcess server, bool hangs)
    {
        if (hangs)
        {
            server.Pause();
        }
        else
        {
            await server.KillAsync();
        }
    }

    private async Task<TestScheduler> StartAsync(RedisProcess server, string name)
    {
        var node = await TestScheduler.StartAsync(
            server.ConnectionString + ",user=app,password=app-password",
            Prefix,
            Ledger,
            name,
            quartz => quartz.AddJob<StagedJob>(job => job.WithIdentity(Job).StoreDurably()),
            options => options.ForJob<StagedJob>(job => (job.OnConflict, job.MaxWait, job.OnStoreUnavailable) = (JobConflictAction.Wait, TimeSpan.FromHours(1), JobOutageAction.RunAnyway)),
            services: services => services.AddSingleton<ILockStoreAdministration>(provider => new SteeredStore(provider.GetRequiredService<ILockStore>())
            {
                BeforeLook = () =>
                {
                    Interlocked.Increment(ref _looks);
                    return Task.CompletedTask;
                },
            }));
        Nodes.Add(node);
        return node;
    }
}
