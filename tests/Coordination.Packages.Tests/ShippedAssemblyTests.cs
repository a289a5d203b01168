using System.Reflection;
using System.Runtime.CompilerServices;
using Coordination.Packages.Tests.Building;

namespace Coordination.Packages.Tests;

public sealed class ShippedAssemblyTests
{
    [Fact]
    public void No_package_shows_its_internals_to_another()
    {
        Assert.Contains("Coordination", Tree.Packages);
        Assert.Empty(
            from package in Tree.Packages
            from friend in Assembly.Load(package).GetCustomAttributes<InternalsVisibleToAttribute>()
            where Tree.Packages.Contains(new AssemblyName(friend.AssemblyName).Name!)
            select $"{package} -> {friend.AssemblyName}");
    }

    [Fact]
    public void No_package_has_a_method_of_its_own_that_returns_a_ValueTask() => Assert.Empty(
        from package in Tree.Packages
        from type in Assembly.Load(package).GetExportedTypes()
        from method in type.GetMethods(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)
        where method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly
        let result = method.ReturnType.IsGenericType ? method.ReturnType.GetGenericTypeDefinition() : method.ReturnType
        where result == typeof(ValueTask) || result == typeof(ValueTask<>)

        // Those that .NET and xunit declare so: IAsyncDisposable and IAsyncLifetime.
        where method.Name is not (nameof(IAsyncDisposable.DisposeAsync) or "InitializeAsync")
        select $"{type}.{method.Name}");
}
