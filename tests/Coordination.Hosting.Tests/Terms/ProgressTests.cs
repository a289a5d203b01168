using Coordination.Hosting.Tests.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Coordination.Hosting.Tests.Terms;

/// <summary>Leaders whose lease depends on reports of progress.</summary>
public sealed class ProgressTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    [Fact]
    [Promise("G2", "G4")]
    [Failure("F24", "F65")]
    public async Task A_leader_that_hangs_loses_its_lease_another_leads_and_health_says_why()
    {
        await using var cluster = new Cluster();
        var work = new Work();
        work.Do = work.UntilLetGoAsync;
        var a = await cluster.StartNodeAsync("a", o => o.ProgressTimeout = Timeout, static s => s.AddHealthChecks().AddCoordinationHealthCheck(), work);
        await a.LeadsAsync();
        var b = await cluster.StartNodeAsync("b");
        await b.StandsByAsync();
        var began = cluster.Time.GetUtcNow();

        await cluster.AdvanceUntilAsync(() => b.Work.IsRunning, TimeSpan.FromMinutes(2), "b leads");
        Assert.InRange(cluster.Time.GetUtcNow() - began, Timeout, Timeout + (2 * Cluster.LeaseDuration));
        Assert.Equal((LeaseLossReason.NoProgress, true), (a.Work.Term.LossReason, a.Work.WasTold));
        Assert.Contains("NoProgress", a.Log.Single(record => record.Id.Id == 1203).Message, StringComparison.Ordinal);

        await cluster.AdvanceUntilAsync(() => a.Logged(1205) > 0, TimeSpan.FromMinutes(1), "a is overdue", keep: [b.Work.Term]);
        var entry = (await a.CheckHealthAsync()).Entries.Single().Value;
        Assert.Equal(HealthStatus.Unhealthy, entry.Status);
        Assert.Contains("no progress", entry.Description, StringComparison.Ordinal);
    }

    [Fact]
    [Promise("G2")]
    public async Task A_leader_that_reports_progress_keeps_its_lease()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a", o => o.ProgressTimeout = Timeout);
        await a.LeadsAsync();
        for (var i = 0; i < 6; i++)
        {
            await cluster.AdvanceAsync(Timeout / 2, a.Work.Term);
            a.Work.Term.ReportProgress();
        }

        Assert.Equal((1, LeaseState.Held), (a.Work.Terms, a.Work.Term.State));
    }

    [Fact]
    [Promise("G2")]
    [Failure("F24", "F65")]
    public async Task Work_that_hangs_again_and_again_counts_as_failing_and_leads_less_often()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync(
            "a", o => (o.ProgressTimeout, o.MinRestartDelay) = (Timeout, TimeSpan.FromSeconds(30)), static s => s.AddHealthChecks().AddCoordinationHealthCheck());
        await a.LeadsAsync();
        await cluster.AdvanceUntilAsync(() => a.Logged(1203) == 1 && !a.Work.IsRunning, TimeSpan.FromMinutes(2), "the lease is lost");
        await cluster.AdvanceAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(1, a.Work.Terms);
        await cluster.AdvanceUntilAsync(() => a.Logged(1203) == 3 && !a.Work.IsRunning, TimeSpan.FromMinutes(20), "it is lost three times");
        await Cluster.UntilAsync(() => Entry().Status == HealthStatus.Degraded, "health tells of it");
        Assert.Contains("failed 3 times in a row, the last time with LeaseLostException", Entry().Description, StringComparison.Ordinal);

        HealthReportEntry Entry() => a.CheckHealthAsync().GetAwaiter().GetResult().Entries.Single().Value;
    }

    [Fact]
    [Failure("F84")]
    public async Task The_setting_of_the_service_comes_before_that_of_its_lock()
    {
        await using var cluster = new Cluster();
        var a = await cluster.StartNodeAsync("a", o => (o.ProgressTimeout, o.LockOptions) = (TimeSpan.FromDays(1), new LockOptions { ProgressTimeout = TimeSpan.FromSeconds(1) }));
        await a.LeadsAsync();
        await cluster.AdvanceAsync(2 * Cluster.LeaseDuration, a.Work.Term);
        Assert.Equal(LeaseState.Held, a.Work.Term.State);
    }
}
