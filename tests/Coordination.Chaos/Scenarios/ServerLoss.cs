using Coordination.Chaos.Faults;

namespace Coordination.Chaos.Scenarios;

/// <summary>What the server may have lost by a fault.</summary>
/// <param name="Loss">Which locks; null for none.</param>
/// <param name="IsCertain">Whether it lost them for certain.</param>
internal sealed record ServerLoss(Loss? Loss, bool IsCertain = true)
{
    public static ServerLoss None { get; } = new(null, false);
}
