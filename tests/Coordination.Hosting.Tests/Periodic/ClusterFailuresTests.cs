using Coordination.Hosting.Periodic;
using Microsoft.Extensions.Time.Testing;

namespace Coordination.Hosting.Tests.Periodic;

/// <summary>What a node knows of failures in the cluster, and how they are told.</summary>
[Failure("F65")]
public sealed class ClusterFailuresTests
{
    private static readonly TimeSpan Memory = TimeSpan.FromMinutes(10);
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void A_run_that_went_well_ends_the_row_before_it_and_not_what_failed_after_it()
    {
        var failures = new ClusterFailures(Memory, 10, _time);
        foreach (var slot in (int[])[1, 2, 4, 5, 4])
        {
            failures.Ended(Run(slot, hasFailed: true));
        }

        Assert.Equal(4, failures.InARow);
        failures.Ended(Run(3, hasFailed: false));
        Assert.Equal(2, failures.InARow);
        failures.Ended(Run(2, hasFailed: true));
        Assert.Equal(2, failures.InARow);
    }

    [Fact]
    public void Failures_are_forgotten_after_a_while_and_no_more_are_kept_than_count()
    {
        var failures = new ClusterFailures(Memory, 3, _time);
        for (var slot = 1; slot <= 5; slot++)
        {
            failures.Ended(Run(slot, hasFailed: true));
        }

        Assert.Equal(3, failures.InARow);
        _time.Advance(Memory);
        Assert.Equal(3, failures.InARow);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(0, failures.InARow);
    }

    [Fact]
    [Promise("G15")]
    public void The_name_of_a_run_says_how_the_one_before_it_ended_and_is_read_without_that_too()
    {
        PeriodicRunEnd?[] ends = [null, Run(1, hasFailed: true), Run(2, hasFailed: false)];
        foreach (var end in ends)
        {
            Assert.Equal(new PeriodicRunName("node-1", Start, end), PeriodicRunName.Parse(PeriodicRunName.Create("node-1", Start, end)));
        }

        Assert.Equal(new PeriodicRunName("node-1", Start), PeriodicRunName.Parse($"node-1/5f0c3f7e9c2b4a1d8e6f7a8b9c0d1e2f/{Start.UtcTicks}"));
        Assert.Equal(new PeriodicRunName("node-1", null), PeriodicRunName.Parse("node-1/5f0c3f7e9c2b4a1d8e6f7a8b9c0d1e2f"));
    }

    private static PeriodicRunEnd Run(int slot, bool hasFailed) => new(Start.AddMinutes(slot), hasFailed);
}
