using Xunit.v3;

namespace Coordination.Testing.Contracts;

/// <summary>
/// Names failures that a test, or each test of a class, shows to be survived. Each is the trait <c>Failure</c>:
/// <c>dotnet test --filter-trait Failure=F5</c>.
/// </summary>
/// <param name="ids">The failures, as in <c>F5</c>.</param>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method, AllowMultiple = true)]
public sealed class FailureAttribute(params string[] ids) : Attribute, ITraitAttribute
{
    /// <summary>The failures, as in <c>F5</c>.</summary>
    public IReadOnlyList<string> Ids { get; } = ids;

    /// <inheritdoc />
    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() => [.. Ids.Select(id => KeyValuePair.Create("Failure", id))];
}
