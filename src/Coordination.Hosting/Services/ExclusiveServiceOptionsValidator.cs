using Microsoft.Extensions.Options;

namespace Coordination.Hosting.Services;

internal sealed class ExclusiveServiceOptionsValidator : IValidateOptions<ExclusiveServiceOptions>
{
    // The longest time that a timer of the platform takes is 2^32 - 2 ms.
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(49);
    private static readonly TimeSpan OneDay = TimeSpan.FromDays(1);

    public ValidateOptionsResult Validate(string? name, ExclusiveServiceOptions options)
    {
        var failures = new List<string>();

        if (options.LockName is { Length: 0 })
        {
            failures.Add($"{name}: LockName is empty. Give it a name, or leave it null for the full name of the type.");
        }

        if (!Enum.IsDefined(options.AfterCompletion))
        {
            failures.Add($"{name}: AfterCompletion is {options.AfterCompletion}. Use Pause, ContendAgain or Never.");
        }

        Check(nameof(options.CompletionPause), options.CompletionPause, LongestTimer);
        Check(nameof(options.MinRestartDelay), options.MinRestartDelay, OneDay);
        Check(nameof(options.MaxRestartDelay), options.MaxRestartDelay, OneDay);
        Check(nameof(options.RestartDelayResetAfter), options.RestartDelayResetAfter, LongestTimer);
        Check(nameof(options.OverdueWarningInterval), options.OverdueWarningInterval, LongestTimer);

        if (options.MaxRestartDelay < options.MinRestartDelay)
        {
            failures.Add($"{name}: MaxRestartDelay is {options.MaxRestartDelay}, shorter than MinRestartDelay, which is {options.MinRestartDelay}. Raise the one or lower the other.");
        }

        if (options.OverdueAfter is { } overdueAfter && (overdueAfter < TimeSpan.Zero || overdueAfter > LongestTimer))
        {
            failures.Add($"{name}: OverdueAfter is {overdueAfter}. Use a value from zero to {LongestTimer}, or null for the safety margin of the lease.");
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);

        void Check(string property, TimeSpan value, TimeSpan longest)
        {
            if (value <= TimeSpan.Zero || value > longest)
            {
                failures.Add($"{name}: {property} is {value}. Use a value greater than zero, up to {longest}.");
            }
        }
    }
}
