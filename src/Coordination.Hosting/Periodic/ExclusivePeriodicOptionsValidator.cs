using Coordination.Hosting.Execution;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Coordination.Hosting.Periodic;

internal sealed class ExclusivePeriodicOptionsValidator(IServiceProvider services) : IValidateOptions<ExclusivePeriodicOptions>
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

        if (options.LockOptions?.MaxHold is { } hold)
        {
            failures.Add($"{name}: LockOptions.MaxHold is {hold}. Leave it null: it ends the renewals while the run goes on.");
        }

        CheckCount(nameof(options.DegradedAfterFailures), options.DegradedAfterFailures);
        CheckCount(nameof(options.UnhealthyAfterFailures), options.UnhealthyAfterFailures);
        CheckCount(nameof(options.StopHostAfterFailures), options.StopHostAfterFailures ?? 1);
        failures.AddRange(OverdueRule.FindErrors(options.OverdueAfter, options.OverdueWarningInterval, options.OnOverdue).Select(error => $"{name}: {error}"));

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail([.. failures, .. services.FindUnknownCoordinationSettings()]);

        void CheckCount(string property, int value)
        {
            if (value < 1)
            {
                failures.Add($"{name}: {property} is {value}. Set 1 or more.");
            }
        }
    }
}
