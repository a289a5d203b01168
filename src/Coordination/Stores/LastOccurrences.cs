using System.Collections.Immutable;

namespace Coordination.Stores;

/// <summary>
/// What a lock remembers of occurrences, by series: each change makes it anew. Of an exclusive lock runs come one after the other, so the last one is
/// enough. Runs that share a lock are under way beside each other and begin in any order, so each is remembered by itself.
/// </summary>
internal static class LastOccurrences
{
    /// <summary>
    /// How many occurrences of a series are remembered. As many may be under way or wait beside a later one: more than a job has in practice, and few
    /// enough for a store to look through them at each run.
    /// </summary>
    private const int Kept = 64;

    /// <summary>Among how many of the oldest one that is not done is kept for longer than those that are. Else those that nobody ever ends would take up all the room.</summary>
    private const int KeptForLonger = Kept / 2;

    extension(ImmutableArray<LastOccurrence> occurrences)
    {
        /// <summary>What becomes of an occurrence if the lock is granted for it, and the run that has or had it, where it is another.</summary>
        public (OccurrenceStatus Status, string? Run) Judge(Occurrence wanted, LockShare? share)
        {
            var last = occurrences.Of(wanted.Series);
            var time = wanted.Time.UnixMicroseconds;
            if (last is null || last.Time < time)
            {
                return (OccurrenceStatus.Started, null);
            }

            var known = last.Time == time ? ToEarlier(last) : share is null ? null : Find(last, time);
            if (known is null)
            {
                return share is not null && last.Floor < time ? (OccurrenceStatus.Started, null) : (OccurrenceStatus.AlreadyRun, last.Run);
            }

            if (known.Run is null || known.Run == wanted.Run)
            {
                return (OccurrenceStatus.Started, null);
            }

            return (!known.IsFinished && wanted.Recover ? OccurrenceStatus.Recovering : OccurrenceStatus.AlreadyRun, known.Run);
        }

        /// <summary>The lock is granted for it.</summary>
        public ImmutableArray<LastOccurrence> Begin(Occurrence begun, LockShare? share, DateTimeOffset now)
        {
            var forgottenAt = now.After(begun.RememberFor);
            var time = begun.Time.UnixMicroseconds;
            if (occurrences.Of(begun.Series) is not { } last)
            {
                // Nothing was dropped, and no occurrence is as early as that.
                return occurrences.Add(new() { Series = begun.Series, Time = time, Run = begun.Run, ForgottenAt = forgottenAt, Floor = share is null ? null : 0 });
            }

            var next = last with { ForgottenAt = last.ForgottenAt > forgottenAt ? last.ForgottenAt : forgottenAt };
            if (time < last.Time)
            {
                next = With(next, new() { Time = time, Run = begun.Run });
            }
            else
            {
                if (time > last.Time)
                {
                    next = share is null ? next with { Earlier = [], Floor = null } : With(next with { Floor = next.Floor ?? last.Time }, ToEarlier(last));
                }

                next = next with { Time = time, Run = begun.Run, IsFinished = false };
            }

            return occurrences.Replace(last, share is null ? next : Limit(next, time));
        }

        /// <summary>Its run ended: it is finished, or free for another run. One that is not the run's any more stays as it is.</summary>
        public ImmutableArray<LastOccurrence> End(Occurrence ended, LockShare? share, bool isFinished)
        {
            var last = occurrences.Of(ended.Series);
            var (time, run) = (ended.Time.UnixMicroseconds, isFinished ? ended.Run : null);
            if (last?.Time == time)
            {
                return last.Run == ended.Run ? occurrences.Replace(last, last with { IsFinished = isFinished, Run = run }) : occurrences;
            }

            return last is not null && share is not null && Find(last, time) is { } earlier && earlier.Run == ended.Run
                ? occurrences.Replace(last, last with { Earlier = last.Earlier.Replace(earlier, earlier with { IsFinished = isFinished, Run = run }) })
                : occurrences;
        }

        public ImmutableArray<LastOccurrence> Without(string series) => occurrences.RemoveAll(last => last.Series == series);

        public ImmutableArray<LastOccurrence> WithoutForgotten(DateTimeOffset now) => occurrences.RemoveAll(last => last.ForgottenAt <= now);

        /// <summary>The last one of a series; null when none is known.</summary>
        public LastOccurrence? Of(string series)
        {
            foreach (var last in occurrences)
            {
                if (last.Series == series)
                {
                    return last;
                }
            }

            return null;
        }
    }

    private static EarlierOccurrence ToEarlier(LastOccurrence last) => new() { Time = last.Time, Run = last.Run, IsFinished = last.IsFinished };

    private static EarlierOccurrence? Find(LastOccurrence last, long time) => last.Earlier.FirstOrDefault(earlier => earlier.Time == time);

    /// <summary>Remembers one more, or another run of one, in its place.</summary>
    private static LastOccurrence With(LastOccurrence last, EarlierOccurrence begun) =>
        last with { Earlier = [.. last.Earlier.Where(earlier => earlier.Time < begun.Time), begun, .. last.Earlier.Where(earlier => earlier.Time > begun.Time)] };

    /// <summary>Drops the oldest where there are too many, and one that is done rather than one that is not; never the one that begins.</summary>
    private static LastOccurrence Limit(LastOccurrence last, long begun)
    {
        if (last.Earlier.Length < Kept)
        {
            return last;
        }

        var dropped = last.Earlier.Take(KeptForLonger).FirstOrDefault(earlier => earlier.IsFinished) ?? last.Earlier.First(earlier => earlier.Time != begun);
        return last with { Earlier = last.Earlier.Remove(dropped), Floor = last.Floor > dropped.Time ? last.Floor : dropped.Time };
    }
}
