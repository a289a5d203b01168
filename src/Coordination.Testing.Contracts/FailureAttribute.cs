using Xunit.v3;

namespace Coordination.Testing.Contracts;

/// <summary>
/// Names a failure that a test, or each test of a class, shows to be survived. It is the trait <c>Failure</c>:
/// <c>dotnet test --filter-trait Failure=F5</c>.
/// </summary>
/// <param name="id">The failure, as in <c>F5</c>.</param>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method, AllowMultiple = true)]
public sealed class FailureAttribute(string id) : Attribute, ITraitAttribute
{
    /// <summary>The failure, as in <c>F5</c>.</summary>
    public string Id { get; } = id;

    /// <inheritdoc />
    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() => [KeyValuePair.Create("Failure", Id)];
}
