using Xunit.Runner.Common;
using Xunit.Sdk;

namespace Coordination.TestKit.Running;

/// <summary>
/// The filters of one <c>dotnet test</c>, which gives them to each project: what another project would run of its tests. The runner
/// itself reads them for its own.
/// </summary>
public sealed class RunFilters
{
    private static readonly Dictionary<string, Action<XunitFilters, string>> Options = new()
    {
        ["--filter"] = (filters, value) => filters.SetVSTestFilter(value),
        ["--filter-query"] = (filters, value) => filters.AddQueryFilter(value),
        ["--filter-class"] = (filters, value) => filters.AddIncludedClassFilter(value),
        ["--filter-not-class"] = (filters, value) => filters.AddExcludedClassFilter(value),
        ["--filter-display-name"] = (filters, value) => filters.AddIncludedDisplayNameFilter(value),
        ["--filter-not-display-name"] = (filters, value) => filters.AddExcludedDisplayNameFilter(value),
        ["--filter-method"] = (filters, value) => filters.AddIncludedMethodFilter(value),
        ["--filter-not-method"] = (filters, value) => filters.AddExcludedMethodFilter(value),
        ["--filter-namespace"] = (filters, value) => filters.AddIncludedNamespaceFilter(value),
        ["--filter-not-namespace"] = (filters, value) => filters.AddExcludedNamespaceFilter(value),
        ["--filter-trait"] = (filters, value) => Trait(filters.AddIncludedTraitFilter, value),
        ["--filter-not-trait"] = (filters, value) => Trait(filters.AddExcludedTraitFilter, value),
    };

    private readonly XunitFilters _filters = new();

    /// <param name="arguments">What a project was started with: an option has one value or several, also behind <c>=</c> or <c>:</c>.</param>
    public RunFilters(IEnumerable<string> arguments)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        Action<XunitFilters, string>? add = null;
        foreach (var argument in arguments)
        {
            if (!argument.StartsWith("--", StringComparison.Ordinal))
            {
                add?.Invoke(_filters, argument);
                continue;
            }

            var end = argument.IndexOfAny(['=', ':']);
            add = Options.GetValueOrDefault(end < 0 ? argument : argument[..end]);
            if (end >= 0)
            {
                add?.Invoke(_filters, argument[(end + 1)..]);
            }
        }
    }

    /// <summary>Whether they let a test of a project run.</summary>
    public bool Pass(string project, ITestCaseMetadata test) => _filters.Filter(project, test);

    private static void Trait(Action<string, string> add, string value)
    {
        if (value.Split('=', 2) is [var name, var of])
        {
            add(name, of);
        }
    }
}
