namespace FlashSale;

/// <summary>The sale could not be held; nothing is known about the locks.</summary>
internal sealed class SaleFailedException(string message) : Exception(message);
