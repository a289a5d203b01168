using Coordination.PostgreSql.Transactions;
using Coordination.Stores;
using CsCheck;

namespace Coordination.PostgreSql.Tests.Differential;

/// <summary>The machine by itself, and the machine on what rows say after each step: the same requests at the same moments get equal replies from both.</summary>
public sealed class MachineAndRowsTests
{
    [Theory]
    [Promise("G1")]
    [Promise("G6")]
    [InlineData("exclusive")]
    [InlineData("semaphore")]
    [InlineData("readers and writers")]
    public void What_rows_say_is_all_that_the_machine_remembers(string kind) =>
        Step.Any.Array[1, 100].Sample(steps => Play(steps, Step.SharesOf(kind)), iter: 500, threads: 1);

    private static void Play(Step[] steps, LockShare?[] shares)
    {
        var (memory, rows, now) = (LockState.Empty, LockState.Empty, DateTimeOffset.UnixEpoch.AddDays(20_000));
        foreach (var step in steps)
        {
            now += step.Passing;
            (memory, var expected) = step.Take(memory, shares, now);
            (rows, var actual) = step.Take(rows, shares, now);
            Assert.Equal(expected, actual);

            // As the store writes it, and reads it again.
            rows = LockText.Read(LockText.Write(rows), rows.LastToken, [.. rows.Grants.Select(GrantColumns.Of)]);
            Assert.Equal(LockProtocol.MayForget(memory, now), LockProtocol.MayForget(rows, now));
        }
    }
}
