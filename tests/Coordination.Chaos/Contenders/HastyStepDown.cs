namespace Coordination.Chaos.Contenders;

/// <summary>Broken: who is asked to step down releases the lock at once, and its work comes to its end after that.</summary>
internal sealed class HastyStepDown : DelegatingHolding
{
    private readonly CancellationTokenRegistration _asked;

    public HastyStepDown(IHolding inner)
        : base(inner) => _asked = inner.StepDownRequested.UnsafeRegister(_ => _ = Task.Run(inner.ReleaseAsync), null);

    public override void Dispose()
    {
        _asked.Dispose();
        base.Dispose();
    }
}
