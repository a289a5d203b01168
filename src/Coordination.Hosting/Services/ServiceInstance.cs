using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Coordination.Hosting.Services;

/// <summary>
/// The object that does the work of a registration: what its factory returns, and without one the container's singleton of the type, under the key of the
/// registration where it has one. So a singleton that the application registers is the object that runs, and there is no second one.
/// </summary>
internal sealed class ServiceInstance<TService>
    where TService : class
{
    private readonly IServiceCollection _services;
    private readonly object? _key;

    private readonly bool _isMade;

    private ServiceInstance(IServiceCollection services, object? key, bool isMade = false) => (_services, _key, _isMade) = (services, key, isMade);

    /// <summary>What a factory returns. It is nobody else's to ask for, so the factory may return what the container has under the type.</summary>
    public static ServiceInstance<TService> From(IServiceCollection services, Func<IServiceProvider, TService> factory)
    {
        var key = new object();
        services.AddKeyedSingleton(key, (provider, _) => new MadeService<TService>(provider, factory));
        return new(services, key, isMade: true);
    }

    /// <summary>The container's singleton: that which the application registers, sooner or later, or else one that the container makes.</summary>
    public static ServiceInstance<T> OfContainer<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] T>(IServiceCollection services, string? key)
        where T : class, TService
    {
        if (key is null)
        {
            // By hand: a container that checks constructors when it is built would check that of a type which the application registers later, in its own way.
            services.TryAddSingleton(static provider => ActivatorUtilities.CreateInstance<T>(provider));
        }
        else
        {
            // By the container, which alone knows [ServiceKey].
            services.TryAddKeyedSingleton<T>(key);
        }

        return new(services, key);
    }

    /// <exception cref="InvalidOperationException">The application registered the type, and not as a singleton; or a factory returned null.</exception>
    public TService Get(IServiceProvider provider)
    {
        if (_isMade)
        {
            return provider.GetRequiredKeyedService<MadeService<TService>>(_key).Service;
        }

        if (_services.LastOrDefault(service => service.ServiceType == typeof(TService) && Equals(service.ServiceKey, _key)) is { Lifetime: not ServiceLifetime.Singleton } other)
        {
            throw new InvalidOperationException(
                $"{typeof(TService)} is registered as {other.Lifetime}, and one object does all the work of its node. Register it as a singleton, or leave that to the registration of the service.");
        }

        // It is registered, by the application or here.
        return (_key is null ? provider.GetService<TService>() : provider.GetKeyedService<TService>(_key))
            ?? throw new InvalidOperationException($"The factory with which the application registered {typeof(TService)} returned null. Have it return the service.");
    }
}
