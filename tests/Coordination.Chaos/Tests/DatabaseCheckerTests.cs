using Coordination.Chaos.Checking;
using static Coordination.Chaos.Tests.Recorded;

namespace Coordination.Chaos.Tests;

/// <summary>What the checker finds in what a database says: what was committed under a lock, and which grants the server had that took over.</summary>
public sealed class DatabaseCheckerTests
{
    private static readonly Holding First = Hold("w1.1", 1, 1, 2, 9.05, HoldingEnd.Lost);
    private static readonly RunRecord Paused = Run(First, Hold("w2.1", 2, 1.5, 6, 7)) with { Gaps = [Gap("w1.1", 3, 9)] };

    [Fact]
    [Promise("G1")]
    public void What_is_committed_before_the_next_grant_is_fine() => Assert.Empty(Check(Paused with { GuardedWrites = [Write(1, 5.9), Write(2, 6.5)] }));

    [Fact]
    [Promise("G1")]
    public void What_is_committed_after_the_next_grant_is_found() => Assert.Equal([CheckKind.Guard], Check(Paused with { GuardedWrites = [Write(1, 9), Write(2, 6.5)] }));

    /// <summary>It holds while nobody else does, however late.</summary>
    [Fact]
    public void What_is_committed_with_no_other_grant_is_fine() => Assert.Empty(Check(Run(First) with { GuardedWrites = [Write(1, 20)], Gaps = [Gap("w1.1", 3, 9)] }));

    [Fact]
    [Failure("F29")]
    public void A_grant_that_the_next_server_lacks_is_found() => Assert.Equal([CheckKind.Takeover], Check(TakenOver(at: 2.5, token: 0)));

    [Fact]
    [Failure("F29")]
    public void A_grant_that_the_next_server_has_is_fine() => Assert.Empty(Check(TakenOver(at: 2.5, token: 1)));

    /// <summary>Nobody had been told of it.</summary>
    [Fact]
    [Failure("F29")]
    public void A_grant_after_the_takeover_need_not_be_there_before() => Assert.Empty(Check(TakenOver(at: 1.5, token: 0)));

    [Fact]
    [Failure("F29")]
    public void What_nobody_confirms_is_counted()
    {
        var run = TakenOver(at: 2.5, token: 0);
        run = run with { Settings = run.Settings with { LosesNothing = false } };

        Assert.Empty(Check(run));
        Assert.Single(TakeoverCheck.Lost(run));
    }

    private static RunRecord TakenOver(double at, long token)
    {
        var run = Run(Hold("w1.1", 1, 1, 2, 3));
        return run with { Settings = run.Settings with { LosesNothing = true }, Takeovers = [new Takeover(At(at), new Dictionary<string, long> { [RecordedLock] = token })] };
    }

    private static GuardedWrite Write(long token, double at) => new(At(at), RecordedLock, $"w{token}.1", token);

    private static IEnumerable<CheckKind> Check(RunRecord run) => Checker.Check(run).Violations.Select(violation => violation.Check);
}
