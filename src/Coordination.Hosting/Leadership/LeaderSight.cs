namespace Coordination.Hosting.Leadership;

/// <summary>Who leads, as the store last said.</summary>
/// <param name="Leader">Who does; null for nobody, or nobody that is known.</param>
/// <param name="At">When this node asked for it, as the clock's timestamp.</param>
/// <param name="Lasts">How long the leader's lease lasted then if it was renewed no more.</param>
internal readonly record struct LeaderSight(LeaderInfo? Leader, long At, TimeSpan Lasts);
