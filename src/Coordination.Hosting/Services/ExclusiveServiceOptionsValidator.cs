using Microsoft.Extensions.Options;

namespace Coordination.Hosting.Services;

internal sealed class ExclusiveServiceOptionsValidator : IValidateOptions<ExclusiveServiceOptions>
{
    // The longest time that a timer of the platform takes is 2^32 - 2 ms.
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(49);
    private static readonly DurationRange Pause = DurationRange.UpTo(LongestTimer);

    // Work that always fails, and work that ignores its token, would fill the log else, and ask the store all the time.
    private static readonly DurationRange RestartDelay = DurationRange.Between(TimeSpan.FromMilliseconds(10), TimeSpan.FromDays(1));
    private static readonly DurationRange OverdueWarningInterval = DurationRange.Between(TimeSpan.FromMilliseconds(100), LongestTimer);
    private static readonly DurationRange OverdueAfter = DurationRange.Between(TimeSpan.Zero, LongestTimer, "null for the safety margin of the lease");

    public ValidateOptionsResult Validate(string? name, ExclusiveServiceOptions options)
    {
        var failures = new List<string>();

        if (options.LockName is { Length: 0 })
        {
            failures.Add($"{name}: LockName is empty. Give it a name, or leave it null for that of the application and the type.");
        }

        if (!Enum.IsDefined(options.AfterCompletion))
        {
            failures.Add($"{name}: AfterCompletion is {options.AfterCompletion}. Use Pause, ContendAgain or Never.");
        }

        Check(nameof(options.CompletionPause), options.CompletionPause, Pause);
        Check(nameof(options.MinRestartDelay), options.MinRestartDelay, RestartDelay);
        Check(nameof(options.MaxRestartDelay), options.MaxRestartDelay, RestartDelay);
        Check(nameof(options.RestartDelayResetAfter), options.RestartDelayResetAfter, Pause);
        Check(nameof(options.OverdueAfter), options.OverdueAfter, OverdueAfter);
        Check(nameof(options.OverdueWarningInterval), options.OverdueWarningInterval, OverdueWarningInterval);

        if (options.MaxRestartDelay < options.MinRestartDelay)
        {
            failures.Add($"{name}: MaxRestartDelay is {options.MaxRestartDelay}, shorter than MinRestartDelay, which is {options.MinRestartDelay}. Raise the one or lower the other.");
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);

        void Check(string property, TimeSpan? value, DurationRange range)
        {
            if (range.FindError(property, value) is { } error)
            {
                failures.Add($"{name}: {error}");
            }
        }
    }
}
