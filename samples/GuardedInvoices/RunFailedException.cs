namespace GuardedInvoices;

/// <summary>The run broke off; nothing is known about the numbers.</summary>
internal sealed class RunFailedException(string message, Exception cause) : Exception(message, cause);
