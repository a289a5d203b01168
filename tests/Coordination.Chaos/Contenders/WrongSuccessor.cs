namespace Coordination.Chaos.Contenders;

/// <summary>Broken: a lock that is released to a node of choice goes to the next in turn.</summary>
internal sealed class WrongSuccessor(IHolding inner) : DelegatingHolding(inner)
{
    public override Task<string> ReleaseToAsync(string successor) => Inner.ReleaseInTurnAsync();
}
