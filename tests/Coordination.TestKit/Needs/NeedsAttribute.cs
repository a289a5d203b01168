using Xunit.v3;

namespace Coordination.TestKit.Needs;

/// <summary>
/// Says what a test needs, or all tests of a class or of an assembly. Where it is missing they are left out. It is a trait as well:
/// <c>--filter-trait Needs=RedisServer</c>.
/// </summary>
[AttributeUsage(AttributeTargets.Assembly | AttributeTargets.Class | AttributeTargets.Method, AllowMultiple = true)]
public sealed class NeedsAttribute(params Need[] needs) : Attribute, ITraitAttribute
{
    /// <summary>The trait. A suite that cannot know this attribute names it: <c>[Trait("Needs", "LongTier")]</c>.</summary>
    public const string Trait = "Needs";

    public IReadOnlyList<Need> Needs { get; } = needs;

    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() => [.. Needs.Select(need => KeyValuePair.Create(Trait, need.ToString()))];
}
