using Coordination.Hosting.Execution;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Coordination.Hosting.RunOnce;

internal sealed class RunOnceOptionsValidator(IServiceProvider services) : IValidateOptions<RunOnceOptions>
{
    private static readonly DurationRange RememberFor = DurationRange.Between(TimeSpan.FromMinutes(1), TimeSpan.FromDays(366));

    public ValidateOptionsResult Validate(string? name, RunOnceOptions options)
    {
        var failures = new List<string>();
        if (RememberFor.FindError(nameof(options.RememberFor), options.RememberFor) is { } error)
        {
            failures.Add($"{name}: {error}");
        }

        if (options.LockOptions?.MaxHold is { } hold)
        {
            failures.Add($"{name}: LockOptions.MaxHold is {hold}. Leave it null: it ends the renewals while the work runs.");
        }

        failures.AddRange(OverdueRule.FindErrors(options.OverdueAfter, options.OverdueWarningInterval, options.OnOverdue).Select(overdue => $"{name}: {overdue}"));
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail([.. failures, .. services.FindUnknownCoordinationSettings()]);
    }
}
