using Coordination.Chaos.Checking;
using Coordination.Chaos.Contenders;
using Coordination.Chaos.Scenarios;

namespace Coordination.Chaos.Tests;

/// <summary>That the scenarios find what they are there to find: each kind of lock that is broken on purpose is caught within two minutes.</summary>
[Needs(Need.LongTier, Need.RedisServer)]
public sealed class PowerTests
{
    /// <summary>One run for both of its locks, which takes no longer than it has to.</summary>
    private static readonly Lazy<Task<IReadOnlyList<Violation>>> BeyondCapacity = new(async () =>
        (await ScenarioRun.RunAsync(new RunOptions(Catalogue.Find("shares")!, ContenderKind.BeyondCapacity, 1, TimeSpan.FromSeconds(6)), TestContext.Current.CancellationToken)).Verdict.Violations);

    [Fact]
    [Failure("F12")]
    public Task A_deadline_that_counts_from_the_reply_is_caught() => Power.IsCaughtAsync(ContenderKind.DeadlineFromReply, "delay", CheckKind.ToldFirst, CheckKind.Exclusion);

    [Fact]
    [Promise("G5")]
    public Task A_release_without_a_look_at_the_owner_is_caught() => Power.IsCaughtAsync(ContenderKind.ReleaseOfAnyones, "pause-long", CheckKind.Exclusion);

    [Fact]
    [Failure("F10")]
    public Task A_renewal_that_makes_a_lost_lock_anew_is_caught() => Power.IsCaughtAsync(ContenderKind.RenewalThatRecreates, "flush-all", CheckKind.Exclusion);

    [Fact]
    [Promise("G3")]
    public Task A_resource_with_no_fence_is_caught() => Power.IsCaughtAsync(ContenderKind.NoFence, "pause-long", CheckKind.Fence);

    [Fact]
    [Promise("G7")]
    public Task A_waiter_that_trusts_the_notification_alone_is_caught() => Power.IsCaughtAsync(ContenderKind.NotificationAlone, "deaf", CheckKind.Served);

    [Fact]
    [Failure("F35", "F36")]
    public Task A_watchdog_that_waits_for_its_log_is_caught() => Power.IsCaughtAsync(ContenderKind.TelemetryOnWatchdog, "sinks", CheckKind.Exclusion, CheckKind.ToldFirst);

    [Fact]
    [Failure("F57")]
    public Task A_client_that_takes_READONLY_for_success_is_caught() => Power.IsCaughtAsync(ContenderKind.RefusalAsSuccess, "demoted", CheckKind.Exclusion);

    [Fact]
    [Failure("F37")]
    public Task A_client_that_takes_TRYAGAIN_for_success_is_caught() => Power.IsCaughtAsync(ContenderKind.RefusalAsSuccess, "slot-move", CheckKind.Exclusion);

    [Fact]
    [Failure("F47")]
    [Needs(Need.CCompiler)]
    public Task A_suspension_of_the_machine_that_is_not_noticed_is_caught() => Power.IsCaughtAsync(ContenderKind.SuspensionUnnoticed, "machine-suspended", CheckKind.Exclusion);

    [Fact]
    [Failure("F45")]
    [Needs(Need.CCompiler)]
    public Task A_token_that_follows_the_clock_back_is_caught() => Power.IsCaughtAsync(ContenderKind.TokenByClock, "clock-steps", CheckKind.Tokens);

    [Fact]
    [Promise("G9")]
    public Task A_lock_that_whoever_comes_may_take_is_caught() => Power.IsCaughtAsync(ContenderKind.QueueIgnored, "calm", CheckKind.Order);

    [Fact]
    [Promise("G14")]
    public Task A_holder_that_ignores_a_step_down_is_caught() => Power.IsCaughtAsync(ContenderKind.StepDownUnheard, "step-down", CheckKind.StepDown);

    [Fact]
    [Promise("G14")]
    public Task A_holder_that_steps_down_before_its_work_has_ended_is_caught() => Power.IsCaughtAsync(ContenderKind.StepDownBeforeWork, "step-down", CheckKind.Exclusion);

    [Fact]
    [Promise("G14")]
    public Task A_holder_that_passes_its_lock_to_the_wrong_node_is_caught() => Power.IsCaughtAsync(ContenderKind.WrongSuccessor, "step-down", CheckKind.Succession);

    [Fact]
    public Task A_watchdog_that_renews_for_work_that_hangs_is_caught() => Power.IsCaughtAsync(ContenderKind.ProgressUnasked, "hung", CheckKind.Progress);

    [Fact]
    [Promise("G14")]
    public Task A_drained_node_that_contends_on_is_caught() => Power.IsCaughtAsync(ContenderKind.DrainThatContends, "drain", CheckKind.Drain);

    [Fact]
    [Promise("G1")]
    public Task Partitions_without_locks_are_caught() => Power.IsCaughtAsync(ContenderKind.PartitionsUnlocked, "partitions", CheckKind.Exclusion);

    [Theory]
    [Promise("G1")]
    [InlineData(Capacities.Semaphore)]
    [InlineData(Capacities.ReaderWriter)]
    public async Task A_lock_that_lets_in_more_than_it_bears_is_caught(string lockName)
    {
        Assert.Contains(await BeyondCapacity.Value, violation => violation.Check == CheckKind.Exclusion && violation.Text.Contains($" of {lockName} ", StringComparison.Ordinal));
    }

    [Fact]
    [Promise("G1")]
    public Task A_lock_by_SET_NX_with_no_renewal_is_caught() => Power.IsCaughtAsync(ContenderKind.SetNx, "calm", CheckKind.Exclusion);
}
