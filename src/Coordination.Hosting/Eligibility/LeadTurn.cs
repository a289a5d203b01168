namespace Coordination.Hosting.Eligibility;

/// <summary>One try to lead, from before the node contends until it has released what it led.</summary>
/// <param name="owner">Whether the node may lead.</param>
/// <param name="contending">Cancelled when it is not to contend any more.</param>
/// <param name="leading">Cancelled when it is to give away what it leads: later, where the node gives away one after the other.</param>
internal sealed class LeadTurn(LeadSwitch owner, CancellationToken contending, CancellationToken leading) : IDisposable
{
    public CancellationToken Contending => contending;

    public CancellationToken Leading => leading;

    /// <summary>To be called once.</summary>
    public void Dispose() => owner.End();
}
