using System.Net;
using System.Net.NetworkInformation;

namespace Coordination.TestKit.Servers;

/// <summary>
/// Ports below those that systems hand out for outgoing connections: with one of those, a client that tries to reconnect to a
/// server that is down may be given the server's port and connect to itself.
/// </summary>
public static class FreePort
{
    /// <summary>A range for each process that runs tests: a port is free until its server listens, also in the eyes of another process.</summary>
    private static int _next = 12_000 + (Environment.ProcessId % 60 * 300);

    public static int Take()
    {
        var taken = IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Select(listener => listener.Port).ToHashSet();
        while (true)
        {
            var port = Interlocked.Increment(ref _next);
            if (!taken.Contains(port))
            {
                return port;
            }
        }
    }

    public static string Local(int port) => new IPEndPoint(IPAddress.Loopback, port).ToString();
}
