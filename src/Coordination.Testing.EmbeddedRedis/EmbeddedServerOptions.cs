namespace Coordination.Testing.EmbeddedRedis;

/// <summary>How an <see cref="EmbeddedServer"/> is started.</summary>
public sealed record EmbeddedServerOptions
{
    /// <summary>
    /// The port on 127.0.0.1: 1 to 65535. Null, the default, for one that is free.
    /// </summary>
    public int? Port { get; init; }

    /// <summary>
    /// Whether a script has the keys to itself while it runs; true by default. False makes a server on which scripts run into each
    /// other, as a Garnet does that was started without <c>--lua-transaction-mode</c>: good for showing that such a server is refused.
    /// </summary>
    public bool LuaTransactionMode { get; init; } = true;
}
