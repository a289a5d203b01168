using Coordination.Chaos.Checking;
using Coordination.Chaos.Contenders;

namespace Coordination.Chaos.Tests;

/// <summary>As <see cref="PowerTests"/>, on PostgreSQL.</summary>
[Needs(Need.LongTier, Need.PostgreSql)]
public sealed class PostgreSqlPowerTests
{
    [Fact]
    [Promise("G9")]
    public Task A_row_that_whoever_comes_may_take_is_caught() => Power.IsCaughtAsync(ContenderKind.QueueIgnored, "pg-failover", CheckKind.Order);

    [Fact]
    [Promise("G1")]
    public Task A_transaction_that_no_lease_guards_is_caught() => Power.IsCaughtAsync(ContenderKind.GuardOmitted, "pg-guarded", CheckKind.Guard);

    [Fact]
    [Failure("F29")]
    public Task A_grant_that_the_standby_does_not_have_is_caught() => Power.IsCaughtAsync(ContenderKind.StandbyUnasked, "pg-failover", CheckKind.Takeover);

    [Fact]
    [Failure("F10")]
    public Task A_renewal_of_whoevers_lock_is_caught() => Power.IsCaughtAsync(ContenderKind.RenewalOfAnyones, "pg-renewal-of-anyones", CheckKind.Exclusion);

    [Fact]
    [Promise("G1")]
    public Task A_session_lock_whose_session_was_ended_is_caught() => Power.IsCaughtAsync(ContenderKind.SessionLock, "pg-session-lock", CheckKind.Exclusion);

    [Fact]
    [Promise("G4")]
    [Needs(Need.PgBouncer)]
    public Task A_session_lock_that_stays_on_a_pooled_session_is_caught() => Power.IsCaughtAsync(ContenderKind.PooledSessionLock, "pg-pooler", CheckKind.Served, CheckKind.Exclusion);
}
