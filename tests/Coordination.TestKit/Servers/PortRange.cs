using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Coordination.TestKit.Servers;

/// <summary>Ports that one process has for itself. It listens on the first of them, which no other can do then; with the process that ends.</summary>
public sealed class PortRange : IDisposable
{
    private readonly TcpListener _claim;
    private readonly int _first;
    private readonly int _size;
    private int _taken;

    private PortRange(TcpListener claim, int first, int size) => (_claim, _first, _size) = (claim, first, size);

    /// <summary>Claims the next range that nobody has.</summary>
    /// <exception cref="InvalidOperationException">Each range is claimed.</exception>
    public static PortRange Claim(int first, int ranges, int size)
    {
        for (var i = 0; i < ranges; i++)
        {
            // Each process begins at another one, so that a port that was in use a moment ago is not the next to be used again.
            var start = first + ((Environment.ProcessId + i) % ranges * size);
            var claim = new TcpListener(IPAddress.Loopback, start);
            try
            {
                claim.Start();
                return new PortRange(claim, start, size);
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied)
            {
                // Another process has it.
                claim.Dispose();
            }
        }

        throw new InvalidOperationException($"Each of the {ranges} ranges of ports from {first} to {first + (ranges * size) - 1} belongs to another process: end test runs that are left over.");
    }

    /// <summary>The next port on which nobody listens.</summary>
    /// <exception cref="InvalidOperationException">Somebody listens on each.</exception>
    public int Take()
    {
        var listening = IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Select(listener => listener.Port).ToHashSet();
        for (var i = 1; i < _size; i++)
        {
            var port = _first + 1 + (int)((uint)Interlocked.Increment(ref _taken) % (_size - 1));
            if (!listening.Contains(port))
            {
                return port;
            }
        }

        throw new InvalidOperationException($"Each port from {_first + 1} to {_first + _size - 1} is in use: end servers that are not needed any more.");
    }

    public void Dispose() => _claim.Dispose();
}
