using FlashSale.Checkouts;

namespace FlashSale.Workers;

/// <summary>A buyer was told.</summary>
internal sealed record OrderAnswered(int Buyer, OrderResult Result) : WorkerMessage;
