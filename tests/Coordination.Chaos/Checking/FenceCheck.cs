namespace Coordination.Chaos.Checking;

/// <summary>The fenced register accepts no write under a token that is lower than one that it accepted before.</summary>
internal static class FenceCheck
{
    public static IEnumerable<Violation> Find(RunRecord run)
    {
        foreach (var writes in run.Writes.Where(write => write is { IsAccepted: true, Token: not null }).GroupBy(write => write.Lock))
        {
            var highest = writes.First();
            foreach (var write in writes.Skip(1))
            {
                if (write.Token < highest.Token)
                {
                    yield return new Violation(CheckKind.Fence, write.At, $"The register of {write.Lock} accepted a late write of {write.By} (token {write.Token}) after one of {highest.By} (token {highest.Token}).");
                }
                else
                {
                    highest = write;
                }
            }
        }
    }

    /// <summary>How often the register with no fence accepted a write from a holding after that of a later one.</summary>
    public static int CountLate(RunRecord run) => run.Writes.GroupBy(write => write.Lock).Sum(writes =>
    {
        var seen = new HashSet<(string, long)>();
        return writes.Count(write => !seen.Add((write.By, write.Attempt)));
    });
}
