namespace Coordination.Hosting.Execution;

/// <summary>What those who have a term end say of its node's absence and of who is next.</summary>
internal static class StepDownArguments
{
    private static readonly DurationRange StayAway = DurationRange.Between(TimeSpan.Zero, TimeSpan.FromDays(49), "null for not at all");

    /// <summary>Checks them, under the names that they have for the caller.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="stayAway"/> is not in its range.</exception>
    /// <exception cref="ArgumentException"><paramref name="successor"/> is not one that a node has.</exception>
    public static StepDownRequest Validate(TimeSpan? stayAway, string? successor)
    {
        StayAway.Validate(nameof(stayAway), nameof(stayAway), stayAway);
        try
        {
            return new StepDownRequest { StayAway = stayAway ?? TimeSpan.Zero, Successor = successor };
        }
        catch (ArgumentException)
        {
            // It knows the rule, and has a name of its own for it.
            throw new ArgumentException(
                $"'{successor}' is no node: it is empty, or has a slash, control characters or half a surrogate pair. Set the id or the name of a node, as the inspector of locks shows it, or null for no node.", nameof(successor));
        }
    }
}
