using Coordination.Hosting.Execution;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Coordination.Hosting.Services;

internal sealed class ExclusiveServiceOptionsValidator(IServiceProvider services) : IValidateOptions<ExclusiveServiceOptions>
{
    // The longest time that a timer of the platform takes is 2^32 - 2 ms.
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(49);
    private static readonly DurationRange Pause = DurationRange.UpTo(LongestTimer);

    // Work that always fails would fill the log else, and ask the store all the time.
    private static readonly DurationRange RestartDelay = DurationRange.Between(TimeSpan.FromMilliseconds(10), TimeSpan.FromDays(1));
    private static readonly DurationRange PreferenceDwell = DurationRange.Between(TimeSpan.Zero, LongestTimer);
    private static readonly DurationRange ProgressTimeout = DurationRange.Between(TimeSpan.FromMilliseconds(100), TimeSpan.FromDays(365), "null for work that reports nothing");
    private static readonly DurationRange MaxTerm = DurationRange.Between(TimeSpan.FromMilliseconds(100), LongestTimer, "null for no limit");

    public ValidateOptionsResult Validate(string? name, ExclusiveServiceOptions options)
    {
        var failures = new SettingFaults(name!);

        if (options.LockName is { Length: 0 })
        {
            failures.Add($"{name}: LockName is empty. Give it a name, or leave it null for that of the application and the type.");
        }

        if (options.Instances is < 1 or > LockCapacity.MaxPermits)
        {
            failures.Add($"{name}: Instances is {options.Instances}. Set 1 to {LockCapacity.MaxPermits}: how many nodes lead at a time.");
        }

        if (!Enum.IsDefined(options.AfterCompletion))
        {
            failures.Add($"{name}: AfterCompletion is {options.AfterCompletion}. Use Pause, ContendAgain or Never.");
        }

        failures.AddRange(OverdueRule.FindErrors(options.OverdueAfter, options.OverdueWarningInterval, options.OnOverdue).Select(error => $"{name}: {error}"));
        if (options.LockOptions?.MaxHold is { } hold)
        {
            failures.Add($"{name}: LockOptions.MaxHold is {hold}. Set MaxTerm instead, which tells the work to stop first: MaxHold ends the renewals while the work runs.");
        }

        foreach (var (setting, rank) in ((string, long?)[])[(nameof(options.Rank), options.Rank), ("LockOptions.Rank", options.LockOptions?.Rank)])
        {
            if (rank == ExclusiveService.AbstainingRank)
            {
                failures.Add($"{name}: {setting} is {rank}, by which a node says that its work fails, and that it is preferred to nobody. Set {ExclusiveService.AbstainingRank + 1} or more.");
            }
        }

        if (options.LockOptions?.AllowBarging == true && (options.Rank is not null || options.PreferredNodes.Count > 0))
        {
            failures.Add($"{name}: LockOptions.AllowBarging is set, and Rank or PreferredNodes too. Choose one: with barging a leader that makes way cannot say who is next.");
        }

        failures.CheckCount(nameof(options.DegradedAfterFailures), options.DegradedAfterFailures);
        failures.CheckCount(nameof(options.UnhealthyAfterFailures), options.UnhealthyAfterFailures);
        failures.CheckCount(nameof(options.StopHostAfterFailures), options.StopHostAfterFailures ?? 1);
        failures.CheckDuration(nameof(options.MaxTerm), options.MaxTerm, MaxTerm);
        failures.CheckDuration(nameof(options.PreferenceDwell), options.PreferenceDwell, PreferenceDwell);
        failures.CheckDuration(nameof(options.ProgressTimeout), options.ProgressTimeout, ProgressTimeout);
        failures.CheckDuration(nameof(options.CompletionPause), options.CompletionPause, Pause);
        failures.CheckRestarts(options.MinRestartDelay, options.MaxRestartDelay, options.RestartDelayResetAfter, RestartDelay, Pause);

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail([.. failures, .. services.FindUnknownCoordinationSettings()]);
    }
}
