using System.Net;

namespace Coordination.TestKit.Servers;

/// <summary>
/// Ports below those that systems hand out for outgoing connections: with one of those, a client that tries to reconnect to a
/// server that is down may be given the server's port and connect to itself.
/// </summary>
public static class FreePort
{
    private const int First = 12_000;
    private const int Ranges = 30;
    private const int Size = 600;

    /// <summary>For as long as this process lives: a port is free until its server listens, also in the eyes of another process.</summary>
    private static readonly PortRange Range = PortRange.Claim(First, Ranges, Size);

    public static int Take() => Range.Take();

    public static string Local(int port) => new IPEndPoint(IPAddress.Loopback, port).ToString();
}
