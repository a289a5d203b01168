using WorkerReplicas.Ledger;

namespace WorkerReplicas.Report;

/// <summary>Two replicas worked as the leader at the same time.</summary>
internal sealed record Overlap(Term Earlier, Term Later, TimeSpan Length);
