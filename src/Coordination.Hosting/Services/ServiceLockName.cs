using System.Reflection;

namespace Coordination.Hosting.Services;

/// <summary>The lock of a service whose options name none.</summary>
internal static class ServiceLockName
{
    /// <summary>The name of the attribute, which all who use it share; without one a name of the application's own.</summary>
    /// <exception cref="ArgumentException">The application has no name.</exception>
    public static string Find(Type serviceType, string? application) =>
        serviceType.GetCustomAttribute<ExclusiveLockAttribute>()?.Name

        // Type.ToString and not FullName, which puts assembly versions into the arguments of a generic type: two
        // versions of an application that run side by side must agree on the name.
        ?? LockName.Compose(application ?? throw Unnamed(), serviceType.ToString());

    private static ArgumentException Unnamed() => new(
        $"The service has no LockName, and the application no name that its lock could begin with. Set {CoordinationOptions.SectionName}:{nameof(CoordinationOptions.ApplicationName)}, or give the service a LockName.");
}
