using Xunit.v3;

namespace Coordination.TestKit.Needs;

/// <summary>
/// Says that a test fails for now, and what it waits for. While it fails as is said here it is reported as passed; it is red as soon as it
/// passes, for the mark to be removed, and where it fails in another way. It is a trait as well: <c>--filter-trait "Due=the second protocol"</c>.
/// </summary>
/// <param name="with">What is to cure it.</param>
/// <param name="fails">A part of the message that it fails with.</param>
[AttributeUsage(AttributeTargets.Method)]
public sealed class DueAttribute(string with, string fails) : Attribute, ITraitAttribute
{
    /// <summary>What is to cure it.</summary>
    public string With { get; } = with;

    /// <summary>A part of the message that it fails with.</summary>
    public string Fails { get; } = fails;

    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() => [KeyValuePair.Create("Due", With)];
}
