namespace WorkerReplicas.Ledger;

/// <summary>The ledger's reply to each request.</summary>
/// <param name="Accepted">False when the ledger has seen a greater token.</param>
internal sealed record LedgerReply(bool Accepted);
