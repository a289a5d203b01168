using Xunit.v3;

namespace Coordination.Testing.Contracts;

/// <summary>
/// Names a promise of Coordination that a test, or each test of a class, shows. It is the trait <c>Promise</c>:
/// <c>dotnet test --filter-trait Promise=G8</c>.
/// </summary>
/// <param name="id">The promise, as in <c>G8</c>.</param>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method, AllowMultiple = true)]
public sealed class PromiseAttribute(string id) : Attribute, ITraitAttribute
{
    /// <summary>The promise, as in <c>G8</c>.</summary>
    public string Id { get; } = id;

    /// <inheritdoc />
    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() => [KeyValuePair.Create("Promise", Id)];
}
