namespace WorkerReplicas.Ledger;

/// <summary>One run of the scheduled job, as it looks from the ledger.</summary>
internal sealed class Fire(string replica, DateTimeOffset time, long token)
{
    public string Replica => replica;

    /// <summary>The time for which it was scheduled, the same on every replica.</summary>
    public DateTimeOffset Time => time;

    public long Token => token;

    /// <summary>Whether the replica said that it was done; one that was killed meanwhile did not.</summary>
    public bool IsDone { get; set; }
}
