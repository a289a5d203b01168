using Coordination.Hosting.Services;

namespace Coordination.Hosting.Health;

/// <summary>Which services a check looks at: all, those of a type, or the one with a lock.</summary>
internal sealed record ServiceChoice(Type? ServiceType = null, string? LockName = null)
{
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public List<ExclusiveService> Of(IReadOnlyList<ExclusiveService> services)
    {
        List<ExclusiveService> chosen = [.. services.Where(service =>
            (ServiceType is null || service.Registration.ServiceType == ServiceType) && (LockName is null || service.Lock.Name == LockName))];
        return chosen.Count > 0 || (ServiceType is null && LockName is null)
            ? chosen
            : throw new InvalidOperationException(
                $"No exclusive service of this host is {(ServiceType is null ? $"for the lock '{LockName}'" : $"a {ServiceType}")}. "
                + $"There are: {string.Join(", ", services.Select(static service => $"'{service.Lock.Name}'"))}.");
    }
}
