using System.Collections.Immutable;

namespace Coordination.Leases;

/// <summary>What the holder of a lease was asked when it was asked to step down. Who asks says it again and again, and is not to take back what somebody else asked since.</summary>
/// <param name="last">What counts.</param>
/// <param name="earlier">The calls that asked before, the last ones at the end.</param>
internal sealed class StepDownAsks(StepDownRequest last, ImmutableArray<long> earlier)
{
    /// <summary>More calls than these do not ask side by side.</summary>
    private const int MostCalls = 100;

    /// <summary>What counts.</summary>
    public StepDownRequest Last => last;

    /// <summary>What was asked, with one more. Who names no node, or no time to stay away, leaves what was asked before.</summary>
    /// <param name="before">What was asked before; null for nothing.</param>
    /// <param name="request">What is asked now.</param>
    public static StepDownAsks After(StepDownAsks? before, StepDownRequest request)
    {
        if (before is null)
        {
            return new(request, []);
        }

        if (request.Call != 0 && before.IsEarlier(request.Call))
        {
            return before;
        }

        var merged = request with
        {
            StayAway = request.StayAway > TimeSpan.Zero ? request.StayAway : before.Last.StayAway,
            Successor = request.Successor ?? before.Last.Successor,
        };
        return before.With(merged);
    }

    private bool IsEarlier(long call) => earlier.Contains(call);

    private StepDownAsks With(StepDownRequest request) => new(request, request.Call == last.Call ? earlier : [.. earlier.TakeLast(MostCalls - 1), last.Call]);
}
