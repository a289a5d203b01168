namespace Coordination.Chaos.Checking;

/// <summary>A time in which an operator asked the holder of a lock to step down.</summary>
/// <param name="Lock">The lock.</param>
/// <param name="From">When it asked first.</param>
/// <param name="To">When the lock had passed, or it asked no more.</param>
internal sealed record StepDownAsk(string Lock, TimeSpan From, TimeSpan To);
