using System.Diagnostics.CodeAnalysis;
using Coordination;
using Coordination.DependencyInjection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>
/// How options are bound from sections of the configuration: durations that are not written as such are refused, keys that no option has are named
/// when the host starts, and the durations in effect told. For authors of integrations.
/// </summary>
public static class CoordinationSettingsExtensions
{
    /// <summary>Notes that options are bound from a section. May be called several times for one section; its keys are then those of all.</summary>
    /// <typeparam name="TOptions">The options.</typeparam>
    /// <param name="services">The services of the host.</param>
    /// <param name="section">The path of the section, as <c>Coordination:Redis</c>.</param>
    /// <param name="durations">The durations in effect, by name, asked for when the host starts; null for none.</param>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> or <paramref name="section"/> is null.</exception>
    public static IServiceCollection AddCoordinationSettings<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties)] TOptions>(
        this IServiceCollection services, string section, Func<IServiceProvider, IEnumerable<KeyValuePair<string, TimeSpan>>>? durations = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(section);
        if (!services.Any(service => service.ImplementationInstance is SettingsSection known && known.Path == section && known.Options == typeof(TOptions)))
        {
            services.AddSingleton(new SettingsSection(section, typeof(TOptions), [.. typeof(TOptions).GetProperties().Select(property => property.Name)], durations ?? (static _ => [])));
        }

        return services;
    }

    /// <summary>Has options bound from the configuration, once, before all that is set in code, sooner or later: what is set in code wins.</summary>
    /// <typeparam name="TOptions">The options.</typeparam>
    /// <typeparam name="TBinding">What binds them.</typeparam>
    /// <param name="services">The services of the host.</param>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> is null.</exception>
    public static IServiceCollection AddCoordinationBinding<TOptions, [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TBinding>(this IServiceCollection services)
        where TOptions : class
        where TBinding : class, IConfigureOptions<TOptions>
    {
        ArgumentNullException.ThrowIfNull(services);
        if (!services.Any(static service => service.ServiceType == typeof(IConfigureOptions<TOptions>) && service.ImplementationType == typeof(TBinding)))
        {
            services.Insert(0, ServiceDescriptor.Singleton<IConfigureOptions<TOptions>, TBinding>());
        }

        return services;
    }

    /// <summary>Says which keys of the configuration no option has, a sentence for each: for the message of a start that fails, maybe because one of them is misspelt.</summary>
    /// <param name="services">The services of the host.</param>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> is null.</exception>
    public static IReadOnlyList<string> FindUnknownCoordinationSettings(this IServiceProvider services)
    {
        ArgumentNullException.ThrowIfNull(services);
        return [.. services.GetService<UnknownSettings>()?.Find().Select(static unknown => $"The configuration has {unknown.Key}, and nothing reads it. What may stand there: {unknown.Known}.") ?? []];
    }

    /// <summary>A section to bind options from, whose durations are written as such.</summary>
    /// <typeparam name="TOptions">The options.</typeparam>
    /// <param name="configuration">The configuration.</param>
    /// <param name="section">The path of the section.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="OptionsValidationException">A duration is not written as such; the message says how to write it.</exception>
    public static IConfigurationSection GetCoordinationSettings<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties)] TOptions>(
        this IConfiguration configuration, string section)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentNullException.ThrowIfNull(section);
        var settings = configuration.GetSection(section);
        var errors = new List<string>();
        foreach (var property in typeof(TOptions).GetProperties().Where(property => (Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType) == typeof(TimeSpan)))
        {
            if (settings[property.Name] is { Length: > 0 } text && DurationText.FindError($"{section}:{property.Name}", text) is { } error)
            {
                errors.Add(error);
            }
        }

        return errors.Count == 0 ? settings : throw new OptionsValidationException(Options.Options.DefaultName, typeof(TOptions), errors);
    }
}
