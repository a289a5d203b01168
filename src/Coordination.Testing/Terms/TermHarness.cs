using System.Diagnostics.CodeAnalysis;
using Coordination.Stores;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Coordination.Testing;

/// <summary>Runs one term of an exclusive service, with no host and no server.</summary>
public static class TermHarness
{
    /// <summary>Makes the service, has its node lead, and returns when its work has begun.</summary>
    /// <typeparam name="TService">The service. It is made by the container, unless <paramref name="configure"/> registers one.</typeparam>
    /// <param name="configure">Registers what the service needs, a clock that the test moves, or other options of the node; null for nothing.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static Task<TermHarness<TService>> StartAsync<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TService>(
        Action<IServiceCollection>? configure = null,
        CancellationToken cancellationToken = default)
        where TService : ExclusiveBackgroundService => StartAsync<TService>(instance: 0, configure, cancellationToken);

    /// <summary>Makes the service, has its node lead as one of several, and returns when its work has begun. Strangers lead in the instances of lower numbers.</summary>
    /// <typeparam name="TService">The service. It is made by the container, unless <paramref name="configure"/> registers one.</typeparam>
    /// <param name="instance">The number of its instance (<see cref="ExclusiveTerm.Instance"/>): zero up to one less than <see cref="LockCapacity.MaxPermits"/>.</param>
    /// <param name="configure">
    /// As for the other method. <see cref="ExclusiveServiceOptions.Instances"/>, set by <c>services.Configure&lt;ExclusiveServiceOptions&gt;(…)</c>, is raised to what the number needs.
    /// </param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="instance"/> is not in its range.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static async Task<TermHarness<TService>> StartAsync<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TService>(
        int instance,
        Action<IServiceCollection>? configure = null,
        CancellationToken cancellationToken = default)
        where TService : ExclusiveBackgroundService
    {
        if (instance is < 0 or >= LockCapacity.MaxPermits)
        {
            throw new ArgumentOutOfRangeException(nameof(instance), instance, $"The number of an instance is from 0 to {LockCapacity.MaxPermits - 1}.");
        }

        var services = new ServiceCollection();
        services.AddCoordination();
        services.AddSingleton(static provider => new ControllableLockStore(provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<TermObservation>();
        configure?.Invoke(services);
        services.TryAddSingleton<TService>();
        services.Replace(ServiceDescriptor.Singleton<ILockStore>(static provider => provider.GetRequiredService<ControllableLockStore>()));
        services.AddExclusiveBackgroundService<ObservedService<TService>>(options =>
        {
            options.LockName = typeof(TService).ToString();
            options.Instances = Math.Max(options.Instances, instance + 1);

            // One term, however it ends.
            options.AfterCompletion = CompletionAction.Never;
            options.MinRestartDelay = options.MaxRestartDelay = TimeSpan.FromDays(1);
        });

        var harness = new TermHarness<TService>(services.BuildServiceProvider());
        try
        {
            if (instance > 0)
            {
                // The name of the options is that of the type.
                var options = harness.Services.GetRequiredService<IOptionsMonitor<ExclusiveServiceOptions>>().Get(typeof(ObservedService<TService>).ToString());
                harness.Store.GrantPermits(typeof(TService).ToString(), options.Instances, instance);
            }

            await harness.StartAsync(cancellationToken).ConfigureAwait(false);
            return harness;
        }
        catch
        {
            await harness.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }
}
