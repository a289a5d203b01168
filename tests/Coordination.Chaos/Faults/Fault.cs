namespace Coordination.Chaos.Faults;

/// <summary>One fault of a plan.</summary>
/// <param name="At">When, counted from the start of the run.</param>
/// <param name="Kind">What.</param>
/// <param name="Worker">The worker it strikes, by number; ignored by those that strike a server.</param>
/// <param name="Lock">The lock it is about, by number.</param>
/// <param name="AtHolder">Whether it strikes whoever used the lock last, rather than the worker of that number.</param>
/// <param name="Length">How long it lasts, or until what it ended is started again.</param>
/// <param name="Size">For those that have one: the delay, or the jump of a clock.</param>
internal sealed record Fault(TimeSpan At, FaultKind Kind, int Worker, int Lock, bool AtHolder, TimeSpan Length, TimeSpan Size);
