using System.Diagnostics.CodeAnalysis;
using Coordination.Stores;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Coordination.Testing;

/// <summary>Runs one term of an exclusive service, with no host and no server.</summary>
public static class TermHarness
{
    /// <summary>Makes the service, has its node lead, and returns when its work has begun.</summary>
    /// <typeparam name="TService">The service. It is made by the container, unless <paramref name="configure"/> registers one.</typeparam>
    /// <param name="configure">Registers what the service needs, a clock that the test moves, or other options of the node; null for nothing.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static async Task<TermHarness<TService>> StartAsync<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TService>(
        Action<IServiceCollection>? configure = null,
        CancellationToken cancellationToken = default)
        where TService : ExclusiveBackgroundService
    {
        var services = new ServiceCollection();
        services.AddCoordination();
        services.AddSingleton(static provider => new ControllableLockStore(provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<TermObservation>();
        configure?.Invoke(services);
        services.TryAddSingleton<TService>();
        services.Replace(ServiceDescriptor.Singleton<ILockStore>(static provider => provider.GetRequiredService<ControllableLockStore>()));
        services.AddExclusiveBackgroundService<ObservedService<TService>>(static options =>
        {
            options.LockName = typeof(TService).ToString();

            // One term, however it ends.
            options.AfterCompletion = CompletionAction.Never;
            options.MinRestartDelay = options.MaxRestartDelay = TimeSpan.FromDays(1);
        });

        var harness = new TermHarness<TService>(services.BuildServiceProvider());
        try
        {
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
