using Xunit.v3;

namespace Coordination.Testing.Contracts;

/// <summary>
/// Names promises of Coordination that a test, or each test of a class, shows. Each is the trait <c>Promise</c>:
/// <c>dotnet test --filter-trait Promise=G8</c>.
/// </summary>
/// <param name="ids">The promises, as in <c>G8</c>.</param>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method, AllowMultiple = true)]
public sealed class PromiseAttribute(params string[] ids) : Attribute, ITraitAttribute
{
    /// <summary>The promises, as in <c>G8</c>.</summary>
    public IReadOnlyList<string> Ids { get; } = ids;

    /// <inheritdoc />
    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() => [.. Ids.Select(id => KeyValuePair.Create("Promise", id))];
}
