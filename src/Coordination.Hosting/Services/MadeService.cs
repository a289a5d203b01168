using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Hosting.Services;

/// <summary>
/// What the factory of a registration returned. It is disposed with the container as what any factory makes, once: what the factory had from the container is
/// disposed by that, and not here.
/// </summary>
internal sealed class MadeService<TService> : IAsyncDisposable, IDisposable
    where TService : class
{
    private readonly bool _isOfContainer;

    /// <exception cref="InvalidOperationException">The factory returned null.</exception>
    public MadeService(IServiceProvider services, Func<IServiceProvider, TService> factory)
    {
        var noted = new NotedServices(services);
        Service = factory(noted) ?? throw new InvalidOperationException($"The factory that {typeof(TService)} was registered with returned null. Have it return the service.");
        _isOfContainer = noted.HasReturned(Service);
    }

    public TService Service { get; }

    public ValueTask DisposeAsync()
    {
        if (!_isOfContainer && Service is IAsyncDisposable service)
        {
            return service.DisposeAsync();
        }

        Dispose();
        return ValueTask.CompletedTask;
    }

    public void Dispose()
    {
        if (_isOfContainer)
        {
            return;
        }

        switch (Service)
        {
            case IDisposable service:
                service.Dispose();
                break;
            case IAsyncDisposable:
                throw new InvalidOperationException($"{Service.GetType()} can be disposed asynchronously alone. Call DisposeAsync of the container.");
        }
    }

    /// <summary>The container, and what it returned to a factory.</summary>
    private sealed class NotedServices(IServiceProvider services) : IKeyedServiceProvider
    {
        private readonly List<object> _returned = [];

        public bool HasReturned(TService service) =>
            _returned.Exists(returned => ReferenceEquals(returned, service) || (returned is IEnumerable<TService> several && several.Contains(service, ReferenceEqualityComparer.Instance)));

        public object? GetService(Type serviceType) => Note(services.GetService(serviceType));

        public object? GetKeyedService(Type serviceType, object? serviceKey) => Note(services.GetKeyedService(serviceType, serviceKey));

        public object GetRequiredKeyedService(Type serviceType, object? serviceKey) => Note(services.GetRequiredKeyedService(serviceType, serviceKey))!;

        private object? Note(object? returned)
        {
            if (returned is not null)
            {
                _returned.Add(returned);
            }

            return returned;
        }
    }
}
