namespace Coordination.Packages.Tests.Packing;

[Needs(Need.LongTier)]
public sealed class PackedPackagesTests(PackedPackages packages) : IClassFixture<PackedPackages>
{
    /// <summary>The tree compiles against its siblings' projects; who installs a package has what the packages hold, and what they name.</summary>
    [Fact]
    public Task Each_package_compiles_against_the_packed_others() => packages.CompileAsync();

    [Fact]
    public async Task Tests_with_the_store_in_memory_do_not_bring_the_embedded_server()
    {
        var dependencies = await packages.GetDependenciesAsync("Coordination.Testing");

        Assert.Contains("Coordination", dependencies);
        Assert.DoesNotContain(dependencies, package =>
            package.StartsWith("Microsoft.Garnet", StringComparison.OrdinalIgnoreCase)
            || package.StartsWith("Azure.", StringComparison.OrdinalIgnoreCase)
            || package.StartsWith("Microsoft.Identity", StringComparison.OrdinalIgnoreCase));
    }
}
