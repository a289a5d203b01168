using Coordination.Stores;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Coordination.DependencyInjection;

/// <summary>Checks the settings when the host starts, and says for each what is wrong with it and what to change.</summary>
internal sealed class CoordinationOptionsValidator(IServiceProviderIsService services) : IValidateOptions<CoordinationOptions>
{
    private const double MaxShareOfLease = 0.9;

    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, CoordinationOptions options)
    {
        var failures = new List<string>();
        CheckRange(failures, nameof(options.LeaseDuration), options.LeaseDuration, LeaseTimings.MinDuration, LeaseTimings.MaxDuration);
        CheckRange(failures, nameof(options.ClaimWindow), options.ClaimWindow, TimeSpan.FromMilliseconds(50), TimeSpan.FromMinutes(1));
        CheckRange(failures, nameof(options.ReleaseTimeout), options.ReleaseTimeout, TimeSpan.FromMilliseconds(50), TimeSpan.FromMinutes(5));
        CheckProportions(failures, options);
        CheckNodeName(failures, options.NodeName);
        if (!services.IsService(typeof(ILockStore)))
        {
            failures.Add("No lock store is configured. Call UseRedis(…) for a cluster, or UseInMemory() for a single process, after AddCoordination(…).");
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    private static void CheckRange(List<string> failures, string name, TimeSpan value, TimeSpan min, TimeSpan max)
    {
        if (value < min || value > max)
        {
            failures.Add($"{CoordinationOptions.SectionName}:{name} is {value}, and must be from {min} to {max}.");
        }
    }

    private static void CheckProportions(List<string> failures, CoordinationOptions options)
    {
        var timings = LeaseTimings.Of(options);
        CheckPositive(failures, nameof(options.RenewalInterval), timings.RenewalInterval);
        CheckPositive(failures, nameof(options.SafetyMargin), timings.SafetyMargin);
        var limit = options.LeaseDuration * MaxShareOfLease;
        if (timings.RenewalInterval + timings.SafetyMargin > limit)
        {
            failures.Add(
                $"{CoordinationOptions.SectionName}:{nameof(options.RenewalInterval)} ({timings.RenewalInterval}) and {nameof(options.SafetyMargin)} ({timings.SafetyMargin}) "
                + $"do not fit into {nameof(options.LeaseDuration)} ({options.LeaseDuration}): together they may be {limit} at most, or a lease would be lost before a renewal that failed once can be repeated. "
                + $"Lower {nameof(options.RenewalInterval)} to {limit - timings.SafetyMargin} or less, or raise {nameof(options.LeaseDuration)}.");
        }
    }

    private static void CheckPositive(List<string> failures, string name, TimeSpan value)
    {
        if (value <= TimeSpan.Zero)
        {
            failures.Add($"{CoordinationOptions.SectionName}:{name} is {value}, and must be greater than zero. Leave it out for the default.");
        }
    }

    private static void CheckNodeName(List<string> failures, string? nodeName)
    {
        if (nodeName is not null && (nodeName.Length is 0 or > 128 || nodeName.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('.' or '-' or '_'))))
        {
            failures.Add($"{CoordinationOptions.SectionName}:{nameof(CoordinationOptions.NodeName)} is '{nodeName}', and must be 1 to 128 letters, digits, dots, dashes and underscores. Leave it out for the machine's name.");
        }
    }
}
