using System.Collections.Frozen;
using System.Runtime.CompilerServices;

namespace Coordination.DependencyInjection;

/// <summary>Where the settings of a node are: in a section of its name, inside that of the node that has none.</summary>
public static class NodeSection
{
    private const int MaxLength = 128;

    /// <summary>What the section of the node without a name has in it.</summary>
    private static readonly FrozenSet<string> Taken = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase, ["Redis", "Quartz", "Services", "RunOnce", .. typeof(CoordinationOptions).GetProperties().Select(property => property.Name)]);

    /// <summary>The configuration section of a node: <c>Coordination</c>, or <c>Coordination:billing</c>.</summary>
    /// <param name="nodeName">The name of the node, which is that of its options; null, or empty as that of options is, for the one that has none.</param>
    /// <param name="part">A part of the section, such as <c>Redis</c>; null for the whole.</param>
    public static string Of(string? nodeName, string? part = null)
    {
        var section = string.IsNullOrEmpty(nodeName) ? CoordinationOptions.SectionName : $"{CoordinationOptions.SectionName}:{nodeName}";
        return part is null ? section : $"{section}:{part}";
    }

    /// <returns>The name.</returns>
    /// <exception cref="ArgumentException">It is not one that a node may have.</exception>
    internal static string Validate(string name, [CallerArgumentExpression(nameof(name))] string? paramName = null)
    {
        ArgumentNullException.ThrowIfNull(name, paramName);
        if (name.Length is 0 or > MaxLength || name.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('.' or '-' or '_')))
        {
            throw new ArgumentException($"A node's name has 1 to {MaxLength} letters, digits, dots, dashes and underscores; this one is '{name}'.", paramName);
        }

        return !Taken.Contains(name)
            ? name
            : throw new ArgumentException($"A node cannot have the name '{name}': the section {CoordinationOptions.SectionName}:{name} has other settings. Give it another one.", paramName);
    }
}
