namespace Coordination.Chaos.Contenders;

/// <summary>Broken: what the server's clock shows is the fencing token, and goes back when the clock does.</summary>
internal sealed class ClockTokenHolding(IHolding inner, long time) : IHolding
{
    public long? Token => time;

    public CancellationToken Lost => inner.Lost;

    public Task<string> ReleaseAsync() => inner.ReleaseAsync();

    public void Dispose() => inner.Dispose();
}
