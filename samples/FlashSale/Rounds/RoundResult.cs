namespace FlashSale.Rounds;

/// <summary>What came of a round.</summary>
internal sealed record RoundResult
{
    public required Round Round { get; init; }

    /// <summary>How many sales the ledger has.</summary>
    public required int Sold { get; init; }

    /// <summary>How many of them were of an item that was sold already.</summary>
    public required int SoldAgain { get; init; }

    /// <summary>What the stock says is left, whatever the ledger says.</summary>
    public required int Left { get; init; }

    /// <summary>How many buyers were sent away.</summary>
    public required int Refused { get; init; }

    /// <summary>From the first buyer's coming to the last one's result.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>How many commands the workers sent; a script is one. Null where they are statements, which nobody counts.</summary>
    public required long? CommandsSent { get; init; }

    /// <summary>How many commands the server carried out, those that scripts call included; null for a server that does not count.</summary>
    public required long? CommandsRun { get; init; }

    /// <summary>How long buyers waited for their lock, the shortest first.</summary>
    public required IReadOnlyList<TimeSpan> LockWaits { get; init; }

    public required int ForeignDeletions { get; init; }

    public required int Reentries { get; init; }

    /// <summary>How many more were sold than there were.</summary>
    public int Oversold => Math.Max(0, Sold - Sale.Items);

    /// <summary>Each item was sold, and once.</summary>
    public bool IsExact => Sold == Sale.Items && SoldAgain == 0;

    public bool HasPassed => !Round.MustBeExact || (IsExact && (!Round.MustRefuse || Refused > 0));

    public double OrdersPerSecond => Sale.Buyers / Duration.TotalSeconds;

    public double? CommandsSentPerOrder => (double?)CommandsSent / Sale.Buyers;

    public double? CommandsRunPerOrder => (double?)CommandsRun / Sale.Buyers;

    /// <summary>The wait that no more than this part of them was longer than; null where there was no lock.</summary>
    public TimeSpan? LockWait(double part) =>
        LockWaits.Count == 0 ? null : LockWaits[Math.Min(LockWaits.Count - 1, (int)(part * LockWaits.Count))];
}
