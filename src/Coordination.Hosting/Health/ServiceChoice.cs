namespace Coordination.Hosting.Health;

/// <summary>Which work a check looks at: all of one node, that of a type, or what has one lock.</summary>
/// <param name="ServiceType">The type; null for not by that.</param>
/// <param name="LockName">The lock; null for not by that.</param>
/// <param name="NodeName">The name of the node whose work it is, where neither is given; null for the node that has none.</param>
internal sealed record ServiceChoice(Type? ServiceType = null, string? LockName = null, string? NodeName = null)
{
    private bool IsOfNode => ServiceType is null && LockName is null;

    /// <exception cref="InvalidOperationException">There is none.</exception>
    public List<IWorkReport> Of(IReadOnlyList<IWorkReport> reports)
    {
        if (IsOfNode)
        {
            return [.. reports.Where(report => report.NodeName == NodeName)];
        }

        List<IWorkReport> chosen = [.. reports.Where(report =>
            (ServiceType is null || report.ServiceType == ServiceType) && (LockName is null || report.LockName == LockName))];
        return chosen.Count > 0
            ? chosen
            : throw new InvalidOperationException(
                $"No exclusive service of this host is {(ServiceType is null ? $"for the lock '{LockName}'" : $"a {ServiceType}")}. "
                + $"There are: {string.Join(", ", reports.Select(static report => $"'{report.LockName}'"))}.");
    }

    /// <summary>The nodes whose stores count for the work that was chosen.</summary>
    public IReadOnlyList<string?> NodesOf(IReadOnlyList<IWorkReport> chosen) => IsOfNode ? [NodeName] : [.. chosen.Select(static report => report.NodeName).Distinct()];
}
