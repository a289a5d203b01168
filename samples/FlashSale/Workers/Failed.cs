namespace FlashSale.Workers;

/// <summary>It cannot go on.</summary>
internal sealed record Failed(string Reason) : WorkerMessage;
