using Coordination.Hosting.Execution;
using Coordination.Hosting.Services;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Coordination.Hosting.Partitions;

internal sealed class PartitionedServiceOptionsValidator(IServiceProvider services) : IValidateOptions<PartitionedServiceOptions>
{
    /// <summary>Each costs a lock, a term and a renewal.</summary>
    private const int MaxPartitions = 100_000;

    // The longest time that a timer of the platform takes is 2^32 - 2 ms.
    private static readonly DurationRange Pause = DurationRange.UpTo(TimeSpan.FromDays(49));
    private static readonly DurationRange RestartDelay = DurationRange.Between(TimeSpan.FromMilliseconds(10), TimeSpan.FromDays(1));
    private static readonly DurationRange PartitionsInterval = DurationRange.Between(TimeSpan.FromMilliseconds(100), TimeSpan.FromDays(1));
    private static readonly DurationRange BalanceInterval = DurationRange.Between(TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(1));

    private static readonly DurationRange ProgressTimeout = DurationRange.Between(TimeSpan.FromMilliseconds(100), TimeSpan.FromDays(365), "null for work that reports nothing");

    public ValidateOptionsResult Validate(string? name, PartitionedServiceOptions options)
    {
        var failures = new SettingFaults(name!);

        if (options.LockName is { Length: 0 })
        {
            failures.Add($"{name}: LockName is empty. Give it a name, or leave it null for that of the application and the type.");
        }

        if (options.Partitions is < 1 or > MaxPartitions)
        {
            failures.Add($"{name}: Partitions is {options.Partitions}. Set 1 to {MaxPartitions}, or leave it null and override GetPartitionsAsync.");
        }

        if (options.LockOptions is { MaxHold: { } hold })
        {
            failures.Add($"{name}: LockOptions.MaxHold is {hold}. Leave it out: it ends the renewals while the work of a partition runs.");
        }

        if (options.LockOptions is { AllowBarging: true })
        {
            failures.Add($"{name}: LockOptions.AllowBarging is true. Leave it out: a partition passes to the node whose share it is, which waits for it.");
        }

        failures.AddRange(OverdueRule.FindErrors(options.OverdueAfter, options.OverdueWarningInterval, options.OnOverdue).Select(error => $"{name}: {error}"));
        failures.CheckCount(nameof(options.MaxPerNode), options.MaxPerNode ?? 1);
        failures.CheckCount(nameof(options.DegradedAfterFailures), options.DegradedAfterFailures);
        failures.CheckCount(nameof(options.UnhealthyAfterFailures), options.UnhealthyAfterFailures ?? 1);
        failures.CheckDuration(nameof(options.PartitionsInterval), options.PartitionsInterval, PartitionsInterval);
        failures.CheckDuration(nameof(options.BalanceInterval), options.BalanceInterval, BalanceInterval);
        failures.CheckDuration(nameof(options.ProgressTimeout), options.ProgressTimeout, ProgressTimeout);
        failures.CheckDuration(nameof(options.CompletionPause), options.CompletionPause, Pause);
        failures.CheckRestarts(options.MinRestartDelay, options.MaxRestartDelay, options.RestartDelayResetAfter, RestartDelay, Pause);

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail([.. failures, .. services.FindUnknownCoordinationSettings()]);
    }
}
