using FlashSale.Checkouts;

namespace FlashSale.Workers;

/// <summary>A buyer was told.</summary>
internal sealed record OrderDone(int Buyer, OrderResult Result) : WorkerMessage;
