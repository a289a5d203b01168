using System.Collections.Immutable;

namespace Coordination.Stores;

/// <summary>What a lock remembers of occurrences, the last one of each series: each change makes it anew.</summary>
internal static class LastOccurrences
{
    extension(ImmutableArray<LastOccurrence> occurrences)
    {
        /// <summary>What becomes of an occurrence if the lock is granted for it, and the run that has or had it, where it is another.</summary>
        public (OccurrenceStatus Status, string? Run) Judge(Occurrence wanted)
        {
            var last = occurrences.Of(wanted.Series);
            var time = wanted.Time.UnixMicroseconds;
            if (last is null || last.Time < time)
            {
                return (OccurrenceStatus.Started, null);
            }

            if (last.Time == time)
            {
                if (last.Run is null || last.Run == wanted.Run)
                {
                    return (OccurrenceStatus.Started, null);
                }

                if (!last.IsFinished && wanted.Recover)
                {
                    return (OccurrenceStatus.Recovering, last.Run);
                }
            }

            return (OccurrenceStatus.AlreadyRun, last.Run);
        }

        /// <summary>The lock is granted for it.</summary>
        public ImmutableArray<LastOccurrence> Begin(Occurrence begun, DateTimeOffset now)
        {
            var forgottenAt = now.After(begun.RememberFor);
            var last = occurrences.Of(begun.Series);
            var next = new LastOccurrence
            {
                Series = begun.Series,
                Time = begun.Time.UnixMicroseconds,
                Run = begun.Run,
                ForgottenAt = last?.ForgottenAt > forgottenAt ? last.ForgottenAt : forgottenAt,
            };
            return last is null ? occurrences.Add(next) : occurrences.Replace(last, next);
        }

        /// <summary>Its run ended: it is finished, or free for another run. One that is not the run's any more stays as it is.</summary>
        public ImmutableArray<LastOccurrence> End(Occurrence ended, bool isFinished)
        {
            var last = occurrences.Of(ended.Series);
            return last?.Time == ended.Time.UnixMicroseconds && last.Run == ended.Run
                ? occurrences.Replace(last, last with { IsFinished = isFinished, Run = isFinished ? last.Run : null })
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
}
