namespace Coordination.Hosting.Leadership;

/// <summary>One who leads, as the store last said.</summary>
/// <param name="Leader">Who does.</param>
/// <param name="Place">Which of the holders it is: its permit, or zero of an exclusive lock. Null where holders have no numbers, as readers.</param>
/// <param name="At">When this node was told, as the clock's timestamp.</param>
/// <param name="Lasts">How long the leader's lease lasted then if it was renewed no more.</param>
internal readonly record struct LeaderSight(LeaderInfo Leader, int? Place, long At, TimeSpan Lasts);
