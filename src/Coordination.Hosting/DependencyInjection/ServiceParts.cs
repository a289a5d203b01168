using System.Diagnostics.CodeAnalysis;
using Coordination.DependencyInjection;
using Coordination.Hosting.Leadership;
using Coordination.Hosting.Services;
using Coordination.Stores;
using Coordination.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Coordination.Hosting.DependencyInjection;

/// <summary>What the registrations of services have in common.</summary>
internal static class ServiceParts
{
    /// <summary>What there is one of in a host, whether it has services or only asks who leads.</summary>
    public static void AddLeaderships(IServiceCollection services)
    {
        services.AddOptions<ExclusiveServiceOptions>();
        services.TryAddSingleton<IOptionsFactory<ExclusiveServiceOptions>, ServiceOptionsFactory<ExclusiveServiceOptions>>();
        services.TryAddSingleton<ExclusiveServices>();

        // By hand: a container that checks constructors when it is built would say less than the sentence about a store that is missing.
        services.TryAddSingleton(static provider => new Leaderships(provider.GetRequiredService<ExclusiveServices>(), provider.GetServices<ObservedLock>(), provider));

        // One for each node, under its name.
        services.TryAddSingleton(static provider => CreateQuestions(new NodeServices(provider, name: null)));
        services.TryAddKeyedSingleton(KeyedService.AnyKey, static (provider, name) => CreateQuestions(new NodeServices(provider, (string)name!)));

        // Null for a name that nothing has: then the container says that there is none, which GetKeyedService takes and GetRequiredKeyedService does not.
        services.TryAddKeyedSingleton<ILeadership>(KeyedService.AnyKey, static (provider, key) => provider.GetRequiredService<Leaderships>().Find(key)!);
    }

    private static LeaderQuestions CreateQuestions(NodeServices node) => new(
        node.GetRequired<ILockStore>(),
        node.GetRequired<ILockStoreAdministration>(),
        node.GetRequired<ILockInspector>(),
        node.GetRequired<StoreCondition>(),
        node.GetShared<TimeProvider>());

    /// <summary>Notes a registration, and has its options bound from the configuration and checked when the host starts.</summary>
    /// <exception cref="InvalidOperationException">There is one of that type and name.</exception>
    public static OptionsBuilder<TOptions> AddKey<
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties | DynamicallyAccessedMemberTypes.PublicParameterlessConstructor)] TOptions,
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TBinding>(
        IServiceCollection services, ServiceKey key)
        where TOptions : class, new()
        where TBinding : class, IConfigureNamedOptions<TOptions>
    {
        if (services.Any(service => service.ImplementationInstance is ServiceKey known && known == key))
        {
            throw new InvalidOperationException(key.Name is null
                ? $"{key.Type} is registered already. To register a type several times give each registration a name of its own, which is the first argument."
                : $"{key.Type} is registered under the name '{key.Name}' already. Give each registration of a type a name of its own.");
        }

        services.AddSingleton(key);
        return AddOptions<TOptions, TBinding>(services, ServiceKey.Section, key.SectionPath, key.OptionsName);
    }

    /// <summary>Has options with a name bound from a section of their own inside one for all of their kind, and checked when the host starts.</summary>
    public static OptionsBuilder<TOptions> AddOptions<
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties | DynamicallyAccessedMemberTypes.PublicParameterlessConstructor)] TOptions,
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TBinding>(
        IServiceCollection services, string sections, string section, string name)
        where TOptions : class, new()
        where TBinding : class, IConfigureNamedOptions<TOptions>
    {
        services.TryAddSingleton<IOptionsFactory<TOptions>, ServiceOptionsFactory<TOptions>>();

        services.AddCoordinationBinding<TOptions, TBinding>();
        services.AddCoordinationSettings<Sections>(sections);
        services.AddCoordinationSettings<LockOptions>($"{section}:{nameof(LockOptions)}");
        services.AddCoordinationSettings<TOptions>(section, provider =>
            DurationsOf(provider.GetRequiredService<IOptionsMonitor<TOptions>>().Get(name)).Select(duration => KeyValuePair.Create($"{name}:{duration.Key}", duration.Value)));
        return services.AddOptions<TOptions>(name).ValidateOnStart();
    }

    /// <summary>All that are set, or have a default; of those that are null, such as the duration of a lease, the node's count.</summary>
    private static IEnumerable<KeyValuePair<string, TimeSpan>> DurationsOf<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties)] TOptions>(TOptions options)
    {
        foreach (var property in typeof(TOptions).GetProperties())
        {
            switch (property.GetValue(options))
            {
                case TimeSpan duration:
                    yield return new(property.Name, duration);
                    break;
                case LockOptions ofLock:
                    foreach (var inner in DurationsOf(ofLock))
                    {
                        yield return new($"{property.Name}:{inner.Key}", inner.Value);
                    }

                    break;
            }
        }
    }

    /// <summary>A section that has sections and nothing else.</summary>
    private sealed class Sections;
}
