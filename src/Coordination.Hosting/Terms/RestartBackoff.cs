using Polly;
using Polly.Retry;

namespace Coordination.Hosting.Terms;

/// <summary>
/// Repeats what fails, less and less often. One execution is a run of failures: it returns with the first outcome that is none, or
/// that came after so long a time that the next failure counts as the first again.
/// </summary>
internal static class RestartBackoff
{
    public static ResiliencePipeline<TermOutcome> Create(ExclusiveServiceOptions options, TimeProvider time) =>
        new ResiliencePipelineBuilder<TermOutcome> { TimeProvider = time }
            .AddRetry(new RetryStrategyOptions<TermOutcome>
            {
                MaxRetryAttempts = int.MaxValue,
                ShouldHandle = arguments => ValueTask.FromResult(arguments.Outcome switch
                {
                    // Contending reports its failures as outcomes. This is what failed in reporting, such as a log that throws.
                    { Exception: { } exception } => exception is not OperationCanceledException,
                    { Result: var outcome } => outcome.IsFailure && outcome.Duration < options.RestartDelayResetAfter,
                }),
                DelayGenerator = arguments => ValueTask.FromResult<TimeSpan?>(Delay(options, arguments.AttemptNumber)),
            })
            .Build();

    /// <summary>The delay after so many failures in a row: never under the least, so that others go first, and spread up to twice of it.</summary>
    public static TimeSpan Delay(ExclusiveServiceOptions options, int failuresBefore) => Delay(options.MinRestartDelay, options.MaxRestartDelay, failuresBefore);

    /// <inheritdoc cref="Delay(ExclusiveServiceOptions, int)"/>
    public static TimeSpan Delay(TimeSpan min, TimeSpan max, int failuresBefore)
    {
        // From 2^32 on every delay is at its maximum anyhow.
        var longest = Math.Min(min.Ticks * Math.Pow(2, Math.Min(failuresBefore, 31) + 1), max.Ticks);
        var shortest = Math.Max(longest / 2, min.Ticks);
        return TimeSpan.FromTicks((long)(shortest + ((longest - shortest) * Random.Shared.NextDouble())));
    }
}
