using Coordination.Stores;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Coordination.DependencyInjection;

/// <summary>Checks the settings when the host starts, and says for each what is wrong with it and what to change.</summary>
internal sealed class CoordinationOptionsValidator(IServiceProviderIsKeyedService services, IServiceProvider provider) : IValidateOptions<CoordinationOptions>
{
    private static readonly DurationRange ClaimWindow = DurationRange.Between(TimeSpan.FromMilliseconds(50), TimeSpan.FromMinutes(1));
    private static readonly DurationRange TerminationGracePeriod = DurationRange.Between(TimeSpan.FromSeconds(1), TimeSpan.FromDays(1), "leave it out for that of the platform");
    private static readonly DurationRange ReleaseTimeout = DurationRange.Between(TimeSpan.FromMilliseconds(50), TimeSpan.FromMinutes(5));

    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, CoordinationOptions options)
    {
        var section = NodeSection.Of(name);
        var failures = new List<string>(LeaseTimings.FindErrors(options, section));
        Check(failures, section, nameof(options.ClaimWindow), options.ClaimWindow, ClaimWindow);
        Check(failures, section, nameof(options.ReleaseTimeout), options.ReleaseTimeout, ReleaseTimeout);
        Check(failures, section, nameof(options.TerminationGracePeriod), options.TerminationGracePeriod, TerminationGracePeriod);
        CheckNodeName(failures, section, options.NodeName);
        CheckApplicationName(failures, section, options.ApplicationName);
        if (string.IsNullOrEmpty(name) ? !services.IsService(typeof(ILockStore)) : !services.IsKeyedService(typeof(ILockStore), name))
        {
            var call = string.IsNullOrEmpty(name) ? "AddCoordination(…)" : $"AddCoordination(\"{name}\")";
            failures.Add($"No lock store is configured. Call UseRedis(…) or UsePostgreSql(…) for a cluster, or UseInMemory() for a single process, after {call}.");
        }

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail([.. failures, .. provider.FindUnknownCoordinationSettings()]);
    }

    private static void Check(List<string> failures, string section, string name, TimeSpan? value, DurationRange range)
    {
        if (range.FindError($"{section}:{name}", value) is { } failure)
        {
            failures.Add(failure);
        }
    }

    private static void CheckNodeName(List<string> failures, string section, string? nodeName)
    {
        if (nodeName is not null && (nodeName.Length is 0 or > 128 || nodeName.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('.' or '-' or '_'))))
        {
            failures.Add($"{section}:{nameof(CoordinationOptions.NodeName)} is '{nodeName}', and must be 1 to 128 letters, digits, dots, dashes and underscores. Leave it out for the machine's name.");
        }
    }

    private static void CheckApplicationName(List<string> failures, string section, string? application)
    {
        if (application is null)
        {
            return;
        }

        if (string.IsNullOrWhiteSpace(application))
        {
            failures.Add($"{section}:{nameof(CoordinationOptions.ApplicationName)} is empty. Give it the name of the application, the same on all nodes, or leave it out for that of the host.");
        }
        else if (LockName.IndexOfHalfAPair(application) is >= 0 and var half)
        {
            failures.Add(
                $"{section}:{nameof(CoordinationOptions.ApplicationName)} has U+{(int)application[half]:X4} behind '{application[..half]}', which is half a surrogate pair, and no lock can begin with it. "
                + "Give it a name that is valid Unicode, the same on all nodes, or leave it out for that of the host.");
        }
    }
}
