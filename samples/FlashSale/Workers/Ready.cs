namespace FlashSale.Workers;

/// <summary>It is connected.</summary>
internal sealed record Ready : WorkerMessage;
