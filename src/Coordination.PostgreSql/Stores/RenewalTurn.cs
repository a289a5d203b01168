namespace Coordination.PostgreSql.Stores;

/// <summary>The turn of one lock among those whose rows others have locked again and again.</summary>
/// <param name="LockName">The lock.</param>
/// <param name="LockTimeout">How long to wait for its row, in milliseconds.</param>
internal sealed record RenewalTurn(string LockName, string LockTimeout);
