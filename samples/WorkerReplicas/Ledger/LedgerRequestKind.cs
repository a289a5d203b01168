namespace WorkerReplicas.Ledger;

internal enum LedgerRequestKind
{
    Begin,
    Append,
    End,
    BeginFire,
    EndFire,
}
