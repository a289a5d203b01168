using StackExchange.Redis;

namespace Coordination.Benchmarks.Servers;

/// <summary>A connection as this library asks for it; each library of a comparison has the same.</summary>
internal static class Connection
{
    /// <param name="address">The server.</param>
    /// <param name="clientName">What the server calls it.</param>
    /// <param name="threads">Whether its threads are its own, as is this library's default, or those of the pool.</param>
    public static async Task<ConnectionMultiplexer> OpenAsync(string address, string clientName, ConnectionThreads threads = ConnectionThreads.Dedicated)
    {
        ConnectionMultiplexer.SetFeatureFlag("DedicatedThreads", threads == ConnectionThreads.Dedicated);
        var settings = ConfigurationOptions.Parse(address);
        settings.ClientName = clientName;
        settings.AllowAdmin = true;
        settings.AbortOnConnectFail = true;
        settings.BacklogPolicy = BacklogPolicy.FailFast;
        settings.HeartbeatInterval = TimeSpan.FromMilliseconds(250);
        return await ConnectionMultiplexer.ConnectAsync(settings);
    }
}
