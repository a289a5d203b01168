using Coordination.Hosting.Tests.Nodes;
using Coordination.Stores;
using Coordination.Telemetry;
using Coordination.TestKit.Stores;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Coordination.Hosting.Tests.Health;

/// <summary>The health check, beside F24, which has overdue work.</summary>
public sealed class HealthTests
{
    [Fact]
    public async Task A_leader_and_a_standby_are_healthy_and_say_what_they_are()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a", services: Checked);
        await a.LeadsAsync();
        var b = await cluster.StartNodeAsync("b", services: Checked);
        await b.StandsByAsync();

        var leader = (await a.CheckHealthAsync()).Entries["coordination"];
        Assert.Equal(HealthStatus.Healthy, leader.Status);
        Assert.Equal(a.NodeId, leader.Data["node"]);
        Assert.Equal("memory", leader.Data["store"]);
        Assert.Equal("leader", Lock(leader)["role"]);
        Assert.Equal("held", Lock(leader)["state"]);
        Assert.Equal(a.Work.Term.FencingToken, Lock(leader)["token"]);
        Assert.Equal(a.NodeId, Lock(leader)["nodeId"]);
        Assert.Equal(cluster.Time.GetUtcNow(), Lock(leader)["since"]);

        var standby = (await b.CheckHealthAsync()).Entries["coordination"];
        Assert.Equal(HealthStatus.Healthy, standby.Status);
        Assert.Equal("standby", Lock(standby)["role"]);
        Assert.Equal("standby", Lock(standby)["state"]);
        Assert.Equal(a.NodeId, Lock(standby)["nodeId"]);
    }

    [Fact]
    public async Task With_the_store_away_it_is_degraded_and_keeps_its_secrets()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a", services: Checked);
        await a.LeadsAsync();
        a.Store.Fault = StoreWithFaults.Away;
        await cluster.AdvanceUntilAsync(() => a.Work.Term.State == LeaseState.InDoubt, Cluster.LeaseDuration * 0.75, "the lease is in doubt");

        var away = (await a.CheckHealthAsync()).Entries["coordination"];
        Assert.Equal(HealthStatus.Degraded, away.Status);
        Assert.Contains("The connection is gone.", away.Description, StringComparison.Ordinal);
        Assert.Equal("in doubt", Lock(away)["state"]);
        Assert.Null(away.Exception);

        a.Store.Fault = new InvalidOperationException("password=hunter2");
        var strange = (await a.CheckHealthAsync()).Entries["coordination"];
        Assert.Equal(HealthStatus.Degraded, strange.Status);
        Assert.DoesNotContain("hunter2", strange.Description, StringComparison.Ordinal);
    }

    [Fact]
    [Failure("F58")]
    public async Task A_store_that_replies_to_a_ping_and_grants_no_lock_makes_a_standby_degraded()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a", services: Checked);
        await a.LeadsAsync();
        var b = await cluster.StartNodeAsync("b", services: Checked);
        await b.StandsByAsync();
        b.Store.AcquireFault = new LockStoreException("The server is out of memory.", isTransient: true);
        await cluster.AdvanceUntilAsync(() => b.Host.Services.GetRequiredService<StoreCondition>().Trouble is not null, 2 * Cluster.LeaseDuration, "the standby has asked");
        var degraded = (await b.CheckHealthAsync()).Entries["coordination"];
        Assert.Equal(HealthStatus.Degraded, degraded.Status);
        Assert.Contains("out of memory", degraded.Description, StringComparison.Ordinal);

        // Of another node's store it knows nothing.
        Assert.Equal(HealthStatus.Healthy, (await a.CheckHealthAsync()).Entries["coordination"].Status);
        b.Store.AcquireFault = null;
        await cluster.AdvanceUntilAsync(() => b.Host.Services.GetRequiredService<StoreCondition>().Trouble is null, 2 * Cluster.LeaseDuration, "the store is back");
        Assert.Equal(HealthStatus.Healthy, (await b.CheckHealthAsync()).Entries["coordination"].Status);
    }

    [Fact]
    [Failure("F58")]
    public async Task A_leader_that_renews_stays_degraded_while_its_store_grants_nothing_else()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a", services: Checked);
        await a.LeadsAsync();
        a.Store.AcquireFault = new LockStoreException("The server is out of memory.", isTransient: true);
        var failed = TryAsync();
        await cluster.AdvanceUntilAsync(() => failed.IsCompleted, TimeSpan.FromSeconds(10), "the try has failed");
        await Assert.ThrowsAsync<LockStoreException>(() => failed);
        await cluster.AdvanceAsync(2 * Cluster.LeaseDuration, a.Work.Term);
        Assert.Equal(HealthStatus.Degraded, (await a.CheckHealthAsync()).Entries["coordination"].Status);

        a.Store.AcquireFault = null;
        Assert.NotNull(await TryAsync());
        await cluster.AdvanceAsync(TimeSpan.FromSeconds(2), a.Work.Term);
        Assert.Equal(HealthStatus.Healthy, (await a.CheckHealthAsync()).Entries["coordination"].Status);

        Task<ILockLease?> TryAsync() => a.Host.Services.GetRequiredService<ILockProvider>().GetLock("other").TryAcquireAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    [Failure("F58")]
    public async Task A_refusal_makes_it_degraded_with_its_reason()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a", services: services => services.AddHealthChecks().AddCoordinationHealthCheck());
        a.Store.AcquireFault = new LockStoreException("The key is in use for something else.", new InvalidOperationException("password=hunter2"));
        await Assert.ThrowsAsync<LockStoreException>(() => a.Host.Services.GetRequiredService<ILockProvider>().GetLock("other").TryAcquireAsync(TestContext.Current.CancellationToken));
        var refused = (await a.CheckHealthAsync()).Entries["coordination"];
        Assert.Equal(HealthStatus.Degraded, refused.Status);
        Assert.Contains("in use for something else", refused.Description, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", refused.Description, StringComparison.Ordinal);
    }

    [Fact]
    [Failure("F58")]
    public async Task A_store_that_nobody_has_asked_is_away_after_half_a_second_without_a_reply()
    {
        await using var cluster = new Cluster();
        var never = new TaskCompletionSource();
        var a = cluster.CreateNode("a", Checked);
        await a.Host.StartAsync(TestContext.Current.CancellationToken);
        a.Store.PingGate = never.Task;
        var check = a.CheckHealthAsync();
        var began = cluster.Time.GetUtcNow();
        await cluster.AdvanceUntilAsync(() => check.IsCompleted, TimeSpan.FromSeconds(10), "the check is done");
        Assert.Equal(HealthStatus.Degraded, (await check).Status);
        Assert.InRange(cluster.Time.GetUtcNow() - began, TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task A_store_that_nobody_can_ask_whether_it_is_there_is_not_away()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a", services: services => Checked(services.AddSingleton<ILockStore>(new StoreWithoutAdministration(cluster.Store))));
        await a.LeadsAsync();
        Assert.Equal(HealthStatus.Healthy, (await a.CheckHealthAsync()).Entries["coordination"].Status);
    }

    [Fact]
    public async Task A_host_that_only_acquires_locks_can_have_the_check_too()
    {
        await using var cluster = new Cluster();
        var a = cluster.CreateNode("a", services => services.AddHealthChecks().AddCoordinationHealthCheck("locks", tags: ["ready"]));
        await a.Host.StartAsync(TestContext.Current.CancellationToken);
        Assert.Equal(HealthStatus.Healthy, (await a.CheckHealthAsync()).Entries["locks"].Status);
    }

    private static void Checked(IServiceCollection services) => services.AddHealthChecks().AddCoordinationHealthCheck();

    private static IReadOnlyDictionary<string, object> Lock(HealthReportEntry entry) =>
        ((IReadOnlyDictionary<string, IReadOnlyDictionary<string, object>>)entry.Data["locks"])[WorkingService.LockName];
}
