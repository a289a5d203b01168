namespace Coordination.Hosting.Terms;

/// <summary>What a service prepared for one term. It is disposed with that, if it can be.</summary>
/// <param name="service">The service that prepared it: a term may be passed on to another one.</param>
/// <param name="content">What it is; null is one, too.</param>
internal sealed class Prepared(ExclusiveBackgroundService service, object? content) : IAsyncDisposable
{
    public object? Content => content;

    public bool IsOf(ExclusiveBackgroundService other) => ReferenceEquals(service, other);

    public async ValueTask DisposeAsync()
    {
        switch (content)
        {
            case IAsyncDisposable disposable:
                await disposable.DisposeAsync().ConfigureAwait(false);
                break;
            case IDisposable disposable:
                disposable.Dispose();
                break;
        }
    }
}
