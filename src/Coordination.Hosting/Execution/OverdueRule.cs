namespace Coordination.Hosting.Execution;

/// <summary>What becomes of work that goes on after its lease was lost.</summary>
/// <param name="After">How long it may take to return before it is overdue.</param>
/// <param name="WarningInterval">How often it is warned of from then on.</param>
/// <param name="Action">What is done about it beside that.</param>
internal sealed record OverdueRule(TimeSpan After, TimeSpan WarningInterval, OverdueAction Action)
{
    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(49);
    private static readonly DurationRange AfterRange = DurationRange.Between(TimeSpan.Zero, LongestTimer, "null for the safety margin of the lease");

    // Work that ignores its token would fill the log else.
    private static readonly DurationRange WarningIntervalRange = DurationRange.Between(TimeSpan.FromMilliseconds(100), LongestTimer);

    /// <summary>Says what is wrong with the settings of a rule.</summary>
    public static IEnumerable<string> FindErrors(TimeSpan? after, TimeSpan warningInterval, OverdueAction action)
    {
        if (!Enum.IsDefined(action))
        {
            yield return $"OnOverdue is {action}. Use Warn, StopHost or EndProcess.";
        }

        if (AfterRange.FindError("OverdueAfter", after) is { } afterError)
        {
            yield return afterError;
        }

        if (WarningIntervalRange.FindError("OverdueWarningInterval", warningInterval) is { } intervalError)
        {
            yield return intervalError;
        }
    }
}
