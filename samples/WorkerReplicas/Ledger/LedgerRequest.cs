namespace WorkerReplicas.Ledger;

/// <summary>What a replica sends to the ledger: one line of JSON each, over one connection for each term.</summary>
/// <param name="Kind">Begin comes first, End last; a replica that dies sends none.</param>
/// <param name="At">The moment at which the replica sent it, on the clock that all processes share.</param>
/// <param name="Token">With Begin: the fencing token of the term. It goes for every line that follows.</param>
/// <param name="Replica">With Begin: who it is.</param>
/// <param name="Line">With Append: what to write down.</param>
/// <param name="MoreFollow">With Append: whether this line is not the last of its batch.</param>
internal sealed record LedgerRequest(
    LedgerRequestKind Kind,
    TimeSpan At,
    long Token = 0,
    string Replica = "",
    string Line = "",
    bool MoreFollow = false);
