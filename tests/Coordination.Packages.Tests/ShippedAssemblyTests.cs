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
}
