namespace Coordination.Hosting.Health;

/// <summary>Which work a check looks at: all, that of a type, or what has one lock.</summary>
internal sealed record ServiceChoice(Type? ServiceType = null, string? LockName = null)
{
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public List<IWorkReport> Of(IReadOnlyList<IWorkReport> reports)
    {
        List<IWorkReport> chosen = [.. reports.Where(report =>
            (ServiceType is null || report.ServiceType == ServiceType) && (LockName is null || report.LockName == LockName))];
        return chosen.Count > 0 || (ServiceType is null && LockName is null)
            ? chosen
            : throw new InvalidOperationException(
                $"No exclusive service of this host is {(ServiceType is null ? $"for the lock '{LockName}'" : $"a {ServiceType}")}. "
                + $"There are: {string.Join(", ", reports.Select(static report => $"'{report.LockName}'"))}.");
    }
}
