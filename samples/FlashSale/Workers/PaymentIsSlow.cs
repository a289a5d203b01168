namespace FlashSale.Workers;

/// <summary>The payment of an item takes longer than the lease.</summary>
internal sealed record PaymentIsSlow(int Item) : WorkerMessage;
