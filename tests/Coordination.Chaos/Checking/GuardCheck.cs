namespace Coordination.Chaos.Checking;

/// <summary>What was written under a lock in a transaction that it guards is committed before the next grant of the lock is told, or never.</summary>
internal static class GuardCheck
{
    public static IEnumerable<Violation> Find(RunRecord run)
    {
        foreach (var write in run.GuardedWrites)
        {
            if (run.Holdings.Where(holding => holding.Lock == write.Lock && holding.Token > write.Token && holding.Granted < write.At).MinBy(holding => holding.Granted) is { } next)
            {
                yield return new Violation(
                    CheckKind.Guard, write.At, $"{write.By} wrote under {write.Lock} (token {write.Token}), and that was committed {(write.At - next.Granted).TotalMilliseconds:F0} ms after {next} was told.");
            }
        }
    }
}
