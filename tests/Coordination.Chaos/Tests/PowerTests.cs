using Coordination.Chaos.Checking;
using Coordination.Chaos.Contenders;
using Coordination.Chaos.Scenarios;

namespace Coordination.Chaos.Tests;

/// <summary>That the scenarios find what they are there to find: each kind of lock that is broken on purpose is caught within two minutes.</summary>
[Needs(Need.LongTier, Need.RedisServer)]
public sealed class PowerTests
{
    /// <summary>Runs of the same length, one after another, up to two minutes of them: when something happens is decided by the seed, but not all of what it meets, and on a busy machine much is excused.</summary>
    private const int MostRuns = 10;
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(12);

    /// <summary>One run for both of its locks, which takes no longer than it has to.</summary>
    private static readonly Lazy<Task<IReadOnlyList<Violation>>> BeyondCapacity = new(async () =>
        (await ScenarioRun.RunAsync(new RunOptions(Catalogue.Find("shares")!, ContenderKind.BeyondCapacity, 1, TimeSpan.FromSeconds(6)), TestContext.Current.CancellationToken)).Verdict.Violations);

    [Fact]
    [Failure("F12")]
    public Task A_deadline_that_counts_from_the_reply_is_caught() => IsCaughtAsync(ContenderKind.DeadlineFromReply, "delay", CheckKind.ToldFirst, CheckKind.Exclusion);

    [Fact]
    [Promise("G5")]
    public Task A_release_without_a_look_at_the_owner_is_caught() => IsCaughtAsync(ContenderKind.ReleaseOfAnyones, "pause-long", CheckKind.Exclusion);

    [Fact]
    [Failure("F10")]
    public Task A_renewal_that_makes_a_lost_lock_anew_is_caught() => IsCaughtAsync(ContenderKind.RenewalThatRecreates, "flush-all", CheckKind.Exclusion);

    [Fact]
    [Promise("G3")]
    public Task A_resource_with_no_fence_is_caught() => IsCaughtAsync(ContenderKind.NoFence, "pause-long", CheckKind.Fence);

    [Fact]
    [Promise("G7")]
    public Task A_waiter_that_trusts_the_notification_alone_is_caught() => IsCaughtAsync(ContenderKind.NotificationAlone, "deaf", CheckKind.Served);

    [Fact]
    [Failure("F35", "F36")]
    public Task A_watchdog_that_waits_for_its_log_is_caught() => IsCaughtAsync(ContenderKind.TelemetryOnWatchdog, "sinks", CheckKind.Exclusion, CheckKind.ToldFirst);

    [Fact]
    [Failure("F57")]
    public Task A_client_that_takes_READONLY_for_success_is_caught() => IsCaughtAsync(ContenderKind.RefusalAsSuccess, "demoted", CheckKind.Exclusion);

    [Fact]
    [Failure("F37")]
    public Task A_client_that_takes_TRYAGAIN_for_success_is_caught() => IsCaughtAsync(ContenderKind.RefusalAsSuccess, "slot-move", CheckKind.Exclusion);

    [Fact]
    [Failure("F47")]
    [Needs(Need.CCompiler)]
    public Task A_suspension_of_the_machine_that_is_not_noticed_is_caught() => IsCaughtAsync(ContenderKind.SuspensionUnnoticed, "machine-suspended", CheckKind.Exclusion);

    [Fact]
    [Failure("F45")]
    [Needs(Need.CCompiler)]
    public Task A_token_that_follows_the_clock_back_is_caught() => IsCaughtAsync(ContenderKind.TokenByClock, "clock-steps", CheckKind.Tokens);

    [Fact]
    [Promise("G9")]
    public Task A_lock_that_whoever_comes_may_take_is_caught() => IsCaughtAsync(ContenderKind.QueueIgnored, "calm", CheckKind.Order);

    [Fact]
    [Promise("G9")]
    [Needs(Need.PostgreSql)]
    public Task A_row_that_whoever_comes_may_take_is_caught() => IsCaughtAsync(ContenderKind.QueueIgnored, "pg-failover", CheckKind.Order);

    [Fact]
    [Promise("G14")]
    public Task A_holder_that_ignores_a_step_down_is_caught() => IsCaughtAsync(ContenderKind.StepDownUnheard, "step-down", CheckKind.StepDown);

    [Fact]
    [Promise("G14")]
    public Task A_holder_that_steps_down_before_its_work_has_ended_is_caught() => IsCaughtAsync(ContenderKind.StepDownBeforeWork, "step-down", CheckKind.Exclusion);

    [Fact]
    [Promise("G14")]
    public Task A_holder_that_passes_its_lock_to_the_wrong_node_is_caught() => IsCaughtAsync(ContenderKind.WrongSuccessor, "step-down", CheckKind.Succession);

    [Fact]
    public Task A_watchdog_that_renews_for_work_that_hangs_is_caught() => IsCaughtAsync(ContenderKind.ProgressUnasked, "hung", CheckKind.Progress);

    [Fact]
    [Promise("G14")]
    public Task A_drained_node_that_contends_on_is_caught() => IsCaughtAsync(ContenderKind.DrainThatContends, "drain", CheckKind.Drain);

    [Fact]
    [Promise("G1")]
    public Task Partitions_without_locks_are_caught() => IsCaughtAsync(ContenderKind.PartitionsUnlocked, "partitions", CheckKind.Exclusion);

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
    public Task A_lock_by_SET_NX_with_no_renewal_is_caught() => IsCaughtAsync(ContenderKind.SetNx, "calm", CheckKind.Exclusion);

    [Fact]
    [Promise("G1")]
    [Needs(Need.PostgreSql)]
    public Task A_transaction_that_no_lease_guards_is_caught() => IsCaughtAsync(ContenderKind.GuardOmitted, "pg-guarded", CheckKind.Guard);

    [Fact]
    [Failure("F29")]
    [Needs(Need.PostgreSql)]
    public Task A_grant_that_the_standby_does_not_have_is_caught() => IsCaughtAsync(ContenderKind.StandbyUnasked, "pg-failover", CheckKind.Takeover);

    [Fact]
    [Failure("F10")]
    [Needs(Need.PostgreSql)]
    public Task A_renewal_of_whoevers_lock_is_caught() => IsCaughtAsync(ContenderKind.RenewalOfAnyones, "pg-renewal-of-anyones", CheckKind.Exclusion);

    [Fact]
    [Promise("G1")]
    [Needs(Need.PostgreSql)]
    public Task A_session_lock_whose_session_was_ended_is_caught() => IsCaughtAsync(ContenderKind.SessionLock, "pg-session-lock", CheckKind.Exclusion);

    [Fact]
    [Promise("G4")]
    [Needs(Need.PostgreSql, Need.PgBouncer)]
    public Task A_session_lock_that_stays_on_a_pooled_session_is_caught() => IsCaughtAsync(ContenderKind.PooledSessionLock, "pg-pooler", CheckKind.Served, CheckKind.Exclusion);

    private static async Task IsCaughtAsync(ContenderKind contender, string scenario, params CheckKind[] by)
    {
        for (var seed = 1; seed <= MostRuns; seed++)
        {
            var result = await ScenarioRun.RunAsync(new RunOptions(Catalogue.Find(scenario)!, contender, seed, Catalogue.Find(scenario)!.IsOnPostgreSql ? Catalogue.Find(scenario)!.Brief : Duration), TestContext.Current.CancellationToken);
            if (result.Verdict.Violations.Any(violation => by.Contains(violation.Check)))
            {
                return;
            }
        }

        Assert.Fail($"{contender} was not caught by {string.Join(" or ", by)} in {MostRuns} runs of {scenario}.");
    }
}
