using StackExchange.Redis;

namespace Coordination.Benchmarks.Servers;

/// <summary>A connection as this library asks for it; each library of a comparison has the same.</summary>
internal static class Connection
{
    public static async Task<ConnectionMultiplexer> OpenAsync(string address, string clientName)
    {
        ConnectionMultiplexer.SetFeatureFlag("DedicatedThreads", true);
        var settings = ConfigurationOptions.Parse(address);
        settings.ClientName = clientName;
        settings.AllowAdmin = true;
        settings.AbortOnConnectFail = true;
        settings.BacklogPolicy = BacklogPolicy.FailFast;
        settings.HeartbeatInterval = TimeSpan.FromMilliseconds(250);
        return await ConnectionMultiplexer.ConnectAsync(settings);
    }
}
