namespace FlashSale.Workers;

/// <summary>The pause is over.</summary>
internal sealed record GoOn : WorkerCommand;
