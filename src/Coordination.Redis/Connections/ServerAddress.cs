using System.Net;
using System.Net.Sockets;

namespace Coordination.Redis.Connections;

/// <summary>How an address is written in logs and exceptions.</summary>
internal static class ServerAddress
{
    private const string Hidden = "a server whose name is not shown";
    private const int Most = 3;

    /// <summary>One address. A host that no server can have may be a part of a secret.</summary>
    public static string Of(EndPoint endPoint) => endPoint switch
    {
        DnsEndPoint { Host: var host } when host.Contains('@', StringComparison.Ordinal) || host.Contains('/', StringComparison.Ordinal) => Hidden,
        DnsEndPoint dns => $"{dns.Host}:{dns.Port}",
        UnixDomainSocketEndPoint socket => $"!{socket}",
        _ => endPoint.ToString() ?? Hidden,
    };

    /// <summary>Several addresses, of which the first few stand for all.</summary>
    public static string Of(IReadOnlyList<EndPoint> endPoints) =>
        endPoints.Count == 0 ? "a server that is not known" : string.Join(", ", endPoints.Take(Most).Select(Of)) + (endPoints.Count > Most ? $" and {endPoints.Count - Most} more" : string.Empty);

    /// <summary>With the port that the client takes where none is given.</summary>
    public static EndPoint WithPort(EndPoint endPoint, int port) => endPoint switch
    {
        DnsEndPoint { Port: 0 } dns => new DnsEndPoint(dns.Host, port, dns.AddressFamily),
        IPEndPoint { Port: 0 } address => new IPEndPoint(address.Address, port),
        _ => endPoint,
    };
}
