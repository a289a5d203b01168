using Microsoft.Extensions.Options;

namespace Coordination.Quartz.Policies;

internal sealed class QuartzExclusivityOptionsValidator : IValidateOptions<QuartzExclusivityOptions>
{
    private static readonly DurationRange FireTimeRetention = DurationRange.Between(TimeSpan.FromMinutes(1), TimeSpan.FromDays(366));

    public ValidateOptionsResult Validate(string? name, QuartzExclusivityOptions options)
    {
        var faults = options.AllOptions.SelectMany(set => ExclusiveJobOptionsRanges.FindFaults(set.Options).Select(found => $"{set.Source}: {found}")).ToList();
        if (FireTimeRetention.FindError($"{QuartzExclusivityOptions.SectionName}:{nameof(options.FireTimeRetention)}", options.FireTimeRetention) is { } fault)
        {
            faults.Add(fault);
        }

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }
}
