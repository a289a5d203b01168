namespace Coordination.Hosting.Services;

/// <summary>What tells the registrations of a host apart: the type, and a name for a type that is registered several times.</summary>
/// <param name="Type">The type of the service.</param>
/// <param name="Name">The name, which is the key of its services as well; null for the registration that has none.</param>
internal sealed record ServiceKey(Type Type, string? Name)
{
    /// <summary>The configuration section that has one for each of them.</summary>
    public const string Section = CoordinationOptions.SectionName + ":Services";

    /// <summary>The name of its options, and what errors call it.</summary>
    /// <remarks>Type.ToString and not FullName, which puts assembly versions into the arguments of a generic type.</remarks>
    public string OptionsName => Name is null ? Type.ToString() : $"{Type} ({Name})";

    /// <summary>What log lines call it.</summary>
    public string DisplayName => Name is null ? Type.Name : $"{Type.Name} ({Name})";

    /// <summary>The configuration section that its options are bound from.</summary>
    public string SectionPath => $"{Section}:{Name ?? Type.Name}";

    /// <exception cref="ArgumentException">A name is empty, or has a colon, which no section of the configuration may have.</exception>
    public static string ValidateName(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        return !name.Contains(':', StringComparison.Ordinal)
            ? name
            : throw new ArgumentException($"The name of a registration is a section of the configuration, and may have no colon; this one is '{name}'.", nameof(name));
    }
}
