namespace Coordination.Hosting.Eligibility;

/// <summary>One try to lead, from before the node contends until it has released what it led, or lost it: work that goes on after that keeps nothing from other nodes.</summary>
/// <param name="owner">Whether the node may lead.</param>
/// <param name="contending">Cancelled when it is not to contend any more.</param>
/// <param name="leading">Cancelled when it is to give away what it leads: later, where the node gives away one after the other.</param>
internal sealed class LeadTurn(LeadSwitch owner, CancellationToken contending, CancellationToken leading) : IDisposable
{
    private bool _isOver;

    public CancellationToken Contending => contending;

    public CancellationToken Leading => leading;

    /// <summary>The node neither contends nor leads by it any more. What comes after the first call does nothing.</summary>
    public void Dispose()
    {
        if (!Interlocked.Exchange(ref _isOver, true))
        {
            owner.End();
        }
    }
}
