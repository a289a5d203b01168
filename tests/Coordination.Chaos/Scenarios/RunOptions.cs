using Coordination.Chaos.Contenders;

namespace Coordination.Chaos.Scenarios;

/// <summary>A run that is asked for.</summary>
/// <param name="Scenario">What happens.</param>
/// <param name="Contender">To what kind of lock.</param>
/// <param name="Seed">Decides when, and to whom.</param>
/// <param name="Duration">For how long.</param>
internal sealed record RunOptions(Scenario Scenario, ContenderKind Contender, int Seed, TimeSpan Duration)
{
    /// <summary>Shorter than the default: the less there is to spare, the more is found.</summary>
    public static readonly TimeSpan Margin = TimeSpan.FromMilliseconds(300);

    public static readonly TimeSpan ClaimWindow = TimeSpan.FromMilliseconds(500);

    /// <summary>How long a grant lasts with no renewal.</summary>
    public TimeSpan Lease => Scenario.Lease;
}
