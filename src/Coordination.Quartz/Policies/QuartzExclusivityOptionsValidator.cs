using Microsoft.Extensions.Options;

namespace Coordination.Quartz.Policies;

internal sealed class QuartzExclusivityOptionsValidator : IValidateOptions<QuartzExclusivityOptions>
{
    private static readonly TimeSpan ShortestRetention = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestRetention = TimeSpan.FromDays(366);

    public ValidateOptionsResult Validate(string? name, QuartzExclusivityOptions options)
    {
        var faults = options.AllOptions.SelectMany(ExclusiveJobOptionsRanges.FindFaults).Select(fault => $"{QuartzExclusivityOptions.SectionName}: {fault}").ToList();
        if (options.FireTimeRetention < ShortestRetention || options.FireTimeRetention > LongestRetention)
        {
            faults.Add($"{QuartzExclusivityOptions.SectionName}:{nameof(options.FireTimeRetention)} is {options.FireTimeRetention}, and must be from {ShortestRetention} to {LongestRetention}.");
        }

        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }
}
