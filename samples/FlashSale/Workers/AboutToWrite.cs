namespace FlashSale.Workers;

/// <summary>A holder has looked for the last time, and waits to be paused.</summary>
internal sealed record AboutToWrite(int Item, int Buyer) : WorkerMessage;
