using System.Net;
using System.Net.Sockets;

namespace Coordination.TestKit.Network;

/// <summary>An address at which nobody replies, which counts who connects.</summary>
public sealed class ConnectionCounter : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private int _count;

    public ConnectionCounter()
    {
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Connections until now, those that are not accepted yet included.</summary>
    public int Count => Volatile.Read(ref _count) + (_listener.Pending() ? 1 : 0);

    public void Dispose() => _listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                (await _listener.AcceptSocketAsync()).Dispose();
                Interlocked.Increment(ref _count);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // Disposed.
        }
    }
}
