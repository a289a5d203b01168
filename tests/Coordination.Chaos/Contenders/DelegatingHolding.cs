namespace Coordination.Chaos.Contenders;

/// <summary>Passes everything on to another holding, but for what is broken of it.</summary>
internal abstract class DelegatingHolding(IHolding inner) : IHolding
{
    public long? Token => inner.Token;

    public CancellationToken Lost => inner.Lost;

    public LeaseLossReason? LossReason => inner.LossReason;

    public virtual CancellationToken StepDownRequested => inner.StepDownRequested;

    public virtual string? Successor => inner.Successor;

    protected IHolding Inner => inner;

    public void ReportProgress() => inner.ReportProgress();

    public virtual Task<string> ReleaseAsync() => inner.ReleaseAsync();

    public virtual Task<string> ReleaseToAsync(string successor) => inner.ReleaseToAsync(successor);

    public virtual void Dispose() => inner.Dispose();
}
