namespace Coordination.DependencyInjection;

/// <summary>A section of the configuration that options are bound from.</summary>
/// <param name="Path">Where it is.</param>
/// <param name="Options">The options.</param>
/// <param name="Keys">What they have.</param>
/// <param name="Durations">The durations in effect, by name.</param>
internal sealed record SettingsSection(string Path, Type Options, IReadOnlyList<string> Keys, Func<IServiceProvider, IEnumerable<KeyValuePair<string, TimeSpan>>> Durations);
