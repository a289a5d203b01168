namespace FlashSale.Workers;

/// <summary>Where a worker finds its servers. An address may hold a password, and goes by the environment.</summary>
/// <param name="Redis">For most rounds.</param>
/// <param name="Postgres">For the rounds in PostgreSQL; null where there is none.</param>
/// <param name="Schema">The one of this run, with stock, ledger and locks.</param>
internal sealed record ServerAddresses(string Redis, string? Postgres, string Schema);
