using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Coordination.Testing;

/// <summary>A node that leads in <typeparamref name="TService"/> for one term, and what a test can do to it. Disposing it stops the node.</summary>
/// <typeparam name="TService">The service.</typeparam>
public sealed class TermHarness<TService> : IAsyncDisposable
    where TService : ExclusiveBackgroundService
{
    private readonly ServiceProvider _services;
    private readonly TermObservation _observation;
    private readonly List<IHostedService> _started = [];

    internal TermHarness(ServiceProvider services)
    {
        _services = services;
        _observation = services.GetRequiredService<TermObservation>();
    }

    /// <summary>The service.</summary>
    public TService Service => _services.GetRequiredService<TService>();

    /// <summary>The services of the node.</summary>
    public IServiceProvider Services => _services;

    /// <summary>The store, which fails on demand.</summary>
    public ControllableLockStore Store => _services.GetRequiredService<ControllableLockStore>();

    /// <summary>The term, as the work has it: to step down, or to see the fencing token.</summary>
    public ExclusiveTerm Term => _observation.Term;

    /// <summary>Ends when the work does and as it does: with what it threw, if it threw.</summary>
    public Task Completion => _observation.Completion;

    /// <summary>Has the lock revoked, as an operator does, and returns when the work is told that its lease is lost.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task LoseLeaseAsync(CancellationToken cancellationToken = default)
    {
        var lost = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var told = Term.Lost.UnsafeRegister(static lost => ((TaskCompletionSource)lost!).TrySetResult(), lost).ConfigureAwait(false);
        await _services.GetRequiredService<ILockInspector>().RevokeAsync(Term.LockName, Term.FencingToken, cancellationToken).ConfigureAwait(false);
        await lost.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Stops the node as a host does: the work is told to stop and awaited, and the lock is released.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task StopAsync(CancellationToken cancellationToken = default)
    {
        foreach (var service in Enumerable.Reverse(_started))
        {
            await service.StopAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Stops the node, and disposes all that it is made of.</summary>
    public ValueTask DisposeAsync() => _services.DisposeAsync();

    internal async Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var service in _services.GetServices<IHostedService>())
        {
            await service.StartAsync(cancellationToken).ConfigureAwait(false);
            _started.Add(service);
        }

        await _observation.Began.WaitAsync(cancellationToken).ConfigureAwait(false);
    }
}
