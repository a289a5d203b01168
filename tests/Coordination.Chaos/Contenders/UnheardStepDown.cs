namespace Coordination.Chaos.Contenders;

/// <summary>Broken: the holder does not hear that it is asked to step down, and keeps the lock for as long as it likes.</summary>
internal sealed class UnheardStepDown(IHolding inner) : DelegatingHolding(inner)
{
    public override CancellationToken StepDownRequested => CancellationToken.None;

    public override string? Successor => null;
}
