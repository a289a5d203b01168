namespace WorkerReplicas.Ledger;

/// <summary>What a replica sends to the ledger: one line of JSON each, over one connection for each term.</summary>
/// <param name="Kind">Begin comes first, End last; a replica that dies sends none. A run of the scheduled job has a connection of its own, with BeginFire and EndFire.</param>
/// <param name="At">The moment at which the replica sent it, on the clock that all processes share.</param>
/// <param name="Token">With Begin and BeginFire: the fencing token. It goes for every line that follows.</param>
/// <param name="Replica">With Begin and BeginFire: who it is.</param>
/// <param name="Line">With Append: what to write down.</param>
/// <param name="MoreFollow">With Append: whether this line is not the last of its batch.</param>
/// <param name="FireTime">With BeginFire: the time for which the job was scheduled.</param>
internal sealed record LedgerRequest(
    LedgerRequestKind Kind,
    TimeSpan At,
    long Token = 0,
    string Replica = "",
    string Line = "",
    bool MoreFollow = false,
    DateTimeOffset FireTime = default);
