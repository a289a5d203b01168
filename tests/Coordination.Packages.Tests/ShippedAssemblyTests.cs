using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Coordination.Packages.Tests.Building;

namespace Coordination.Packages.Tests;

public sealed partial class ShippedAssemblyTests
{
    [GeneratedRegex(@"<\s*InternalsVisibleTo\b|assembly\s*:.*\bInternalsVisibleTo|""[\w.]*InternalsVisibleToAttribute""")]
    private static partial Regex Friendship { get; }

    [Fact]
    public void A_package_shows_its_internals_to_its_own_tests_only()
    {
        Assert.Contains("Coordination", Tree.Packages);
        Assert.Empty(
            from package in Tree.Packages
            from friend in Assembly.Load(package).GetCustomAttributes<InternalsVisibleToAttribute>()
            where friend.AssemblyName != $"{package}.Tests"
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

    [Fact]
    public void Nothing_that_is_no_package_shows_its_internals() => Assert.Empty(
        from path in Tree.ProjectFiles.Concat(Tree.Sources)
        where !path.StartsWith("src/", StringComparison.Ordinal) && Friendship.IsMatch(File.ReadAllText(Tree.PathTo(path)))
        select path);
}
