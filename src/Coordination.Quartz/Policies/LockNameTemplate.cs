using System.Text.RegularExpressions;
using Quartz;

namespace Coordination.Quartz.Policies;

/// <summary>Fills in a name such as <c>report:{tenant}</c>.</summary>
internal static partial class LockNameTemplate
{
    public static string Fill(string template, JobKey job, JobDataMap data) =>
        Placeholder().Replace(template, match => match.Groups[1].Value switch
        {
            "group" => job.Group,
            "name" => job.Name,
            var key => data.TryGetValue(key, out var value) && value is not null
                ? FormattableString.Invariant($"{value}")
                : throw new ArgumentException($"The name '{template}' of the lock of the job {job} has {{{key}}}, and neither the job's data nor the trigger's have '{key}'. Put it there, or take it out of the name."),
        });

    [GeneratedRegex(@"\{([^{}]+)\}")]
    private static partial Regex Placeholder();
}
