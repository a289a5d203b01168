using Microsoft.Extensions.Options;

namespace Coordination.Hosting.Periodic;

internal sealed class ExclusivePeriodicOptionsValidator : IValidateOptions<ExclusivePeriodicOptions>
{
    // The store remembers a run for two intervals, and for 366 days at most.
    private static readonly DurationRange Interval = DurationRange.Between(TimeSpan.FromSeconds(1), TimeSpan.FromDays(180));

    public ValidateOptionsResult Validate(string? name, ExclusivePeriodicOptions options)
    {
        var failures = new List<string>();
        if (Interval.FindError(nameof(options.Interval), options.Interval) is { } interval)
        {
            failures.Add($"{name}: {interval}");
        }

        if (options.Jitter < TimeSpan.Zero || (options.Jitter >= options.Interval && options.Jitter != TimeSpan.Zero))
        {
            failures.Add($"{name}: Jitter is {options.Jitter}. Set zero, or less than Interval, which is {options.Interval}.");
        }

        if (options.LockName is { Length: 0 })
        {
            failures.Add($"{name}: LockName is empty. Give it a name, or leave it null for that of the application and the type.");
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
