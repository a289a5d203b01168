namespace Coordination.Testing.Contracts.Observations;

/// <summary>A resource as the README asks for: it refuses a token that is lower than one it has seen.</summary>
internal sealed class FencedResource
{
    private readonly Lock _gate = new();
    private long _highest;

    public bool TryWrite(long fencingToken)
    {
        lock (_gate)
        {
            var accepted = fencingToken >= _highest;
            _highest = accepted ? fencingToken : _highest;
            return accepted;
        }
    }
}
