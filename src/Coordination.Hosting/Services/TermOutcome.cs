namespace Coordination.Hosting.Services;

/// <summary>How a try to lead ended, and after how long: the term, or the wait when there was none.</summary>
internal readonly record struct TermOutcome(TermEnd End, TimeSpan Duration)
{
    public bool IsFailure => End is TermEnd.Failed or TermEnd.Refused;
}
