using System.Reflection;

namespace Coordination.Hosting.Services;

/// <summary>The lock of a service whose options name none.</summary>
internal static class ServiceLockName
{
    /// <summary>The name of the attribute, which all who use it share; without one a name of the application's own. That of the registration, where it has one, comes last.</summary>
    /// <exception cref="ArgumentException">The application has no name.</exception>
    public static string Find(ServiceKey key, string? application)
    {
        if (key.Type.GetCustomAttribute<ExclusiveLockAttribute>()?.Name is { } shared)
        {
            return key.Name is null ? shared : $"{shared}/{LockName.Compose(key.Name)}";
        }

        // Type.ToString and not FullName, which puts assembly versions into the arguments of a generic type: two
        // versions of an application that run side by side must agree on the name.
        var (named, type) = (application ?? throw Unnamed(), key.Type.ToString());
        return key.Name is null ? LockName.Compose(named, type) : LockName.Compose(named, type, key.Name);
    }

    private static ArgumentException Unnamed() => new(
        $"The service has no LockName, and the application no name that its lock could begin with. Set {CoordinationOptions.SectionName}:{nameof(CoordinationOptions.ApplicationName)}, or give the service a LockName.");
}
