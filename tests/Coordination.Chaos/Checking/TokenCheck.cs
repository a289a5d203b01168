namespace Coordination.Chaos.Checking;

/// <summary>
/// Of two grants of a lock, the one that was asked for after the other was told has the greater token; and no two have the same. A holder that takes
/// its lock once more has the same again, unless the server lost the lock meanwhile.
/// </summary>
internal static class TokenCheck
{
    public static IEnumerable<Violation> Find(RunRecord run)
    {
        foreach (var holdings in run.Holdings.Where(holding => holding.Token is not null).GroupBy(holding => holding.Lock))
        {
            foreach (var same in holdings.GroupBy(holding => holding.Token).Where(same => same.Count() > 1))
            {
                yield return new Violation(CheckKind.Tokens, same.Last().Granted, $"{string.Join(" and ", same)} have the same token.");
            }

            Holding? highest = null;
            var told = new Queue<Holding>(holdings.OrderBy(holding => holding.Granted));
            foreach (var holding in holdings.OrderBy(holding => holding.WaitedFrom))
            {
                while (told.TryPeek(out var first) && first.Granted < holding.WaitedFrom)
                {
                    highest = highest is null || first.Token > highest.Token ? first : highest;
                    told.Dequeue();
                }

                if (highest is not null && holding.Token <= highest.Token)
                {
                    yield return new Violation(CheckKind.Tokens, holding.Granted, $"{holding} was asked for after {highest}, and its token is not greater.");
                }
            }
        }

        foreach (var entry in run.Entries)
        {
            var holding = run.Holdings.FirstOrDefault(holding => holding.By == entry.By && holding.Attempt == entry.Attempt);
            if (holding is not null && holding.Token != entry.Token && !run.Disturbances.Any(d => d.MayLose(entry.Lock) && d.Overlaps(holding.GrantedNoEarlier, entry.At)) && run.UnscheduledOf(entry.By, holding.Granted, entry.At) < run.Settings.Lease / 3)
            {
                yield return new Violation(CheckKind.Tokens, entry.At, $"{holding} was entered again under the token {entry.Token}.");
            }
        }
    }
}
