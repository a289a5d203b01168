using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Coordination.TestKit.Network;

/// <summary>Stands between one node and the server: an address that stays the same, whatever stands behind it.</summary>
public sealed class ChaosProxy : IAsyncDisposable
{
    /// <summary>What PostgreSQL says of a commit: of a prepared statement the request does not.</summary>
    private static readonly byte[] Committed = "COMMIT\0"u8.ToArray();

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _ending = new();
    private readonly ConcurrentDictionary<Link, Task> _links = new();
    private readonly Task _accepting;
    private volatile IPEndPoint _server;
    private volatile Rule _rule = new(ProxyMode.Pass, TimeSpan.Zero);

    public ChaosProxy(int serverPort)
    {
        _server = EndPointOf(serverPort);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Whether a connection was cut since <see cref="Begin"/>.</summary>
    public bool HasCut => _rule.HasCut;

    /// <summary>Has connections that are made from now on lead to another server. Those that stand go on with theirs.</summary>
    public void LeadTo(int serverPort) => _server = EndPointOf(serverPort);

    public void Begin(ProxyMode mode, TimeSpan delay = default)
    {
        var before = _rule;
        _rule = new Rule(mode, delay);
        before.End();
    }

    /// <summary>Lets everything pass again. Connections of which something was dropped are cut, for what follows would make no sense.</summary>
    public void End()
    {
        Begin(ProxyMode.Pass);
        foreach (var link in _links.Keys.Where(link => link.IsTorn))
        {
            link.Cut();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        _listener.Stop();
        End();
        foreach (var link in _links.Keys)
        {
            link.Cut();
        }

        await _accepting;
        await Task.WhenAll(_links.Values).WaitAsync(TimeSpan.FromMinutes(1));
        _listener.Dispose();
        _ending.Dispose();
    }

    private static IPEndPoint EndPointOf(int port) => new(IPAddress.Loopback, port);

    private async Task AcceptAsync()
    {
        while (true)
        {
            try
            {
                var client = await _listener.AcceptSocketAsync(_ending.Token);
                var link = new Link(client);
                _links[link] = Task.CompletedTask;
                _links[link] = CarryAsync(link);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                // Disposed.
                return;
            }
        }
    }

    private async Task CarryAsync(Link link)
    {
        // Off the loop that accepts.
        await Task.Yield();
        try
        {
            await link.Server.ConnectAsync(_server, _ending.Token);
            await Task.WhenAny(PumpAsync(link, link.Client, link.Server, isReply: false), PumpAsync(link, link.Server, link.Client, isReply: true));
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The server is away, which the client learns as it would without the proxy: the connection ends.
        }

        link.Cut();
        _links.TryRemove(link, out _);
    }

    private async Task PumpAsync(Link link, Socket from, Socket to, bool isReply)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer, _ending.Token) is > 0 and var count)
            {
                var rule = _rule;
                if (link.IsTorn && rule.Mode is not (ProxyMode.BlackHole or ProxyMode.DropReplies or ProxyMode.DropRequests))
                {
                    // Something is missing before this. A connection has no holes: what came through here would pass for the reply to another request.
                    return;
                }

                switch (rule.Mode)
                {
                    case ProxyMode.Delay when isReply:
                        // What a slow network does.
                        await Task.Delay(rule.Delay, _ending.Token);
                        break;
                    case ProxyMode.Stall:
                        await rule.Ended.WaitAsync(_ending.Token);
                        break;
                    case ProxyMode.BlackHole:
                    case ProxyMode.DropReplies when isReply:
                    case ProxyMode.DropRequests when !isReply:
                        link.IsTorn = true;
                        continue;
                    case ProxyMode.CutAfterWrite when !isReply:
                        link.HasScriptUnderWay |= buffer.AsSpan(0, count).IndexOf("EVALSHA"u8) >= 0;
                        break;
                    case ProxyMode.CutAfterWrite when (link.HasScriptUnderWay || buffer.AsSpan(0, count).IndexOf(Committed) >= 0) && rule.TryCut():
                        return;
                }

                for (var sent = 0; sent < count;)
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, count - sent), _ending.Token);
                }
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Either side ended it, or the proxy did.
        }
    }

    /// <summary>What holds from one change of mode to the next.</summary>
    private sealed class Rule(ProxyMode mode, TimeSpan delay)
    {
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _cuts;

        public ProxyMode Mode => mode;

        public TimeSpan Delay => delay;

        public Task Ended => _ended.Task;

        public bool HasCut => Volatile.Read(ref _cuts) > 0;

        /// <summary>One connection is enough.</summary>
        public bool TryCut() => Interlocked.Exchange(ref _cuts, 1) == 0;

        public void End() => _ended.TrySetResult();
    }

    /// <summary>A client's connection, and the one that the proxy made for it.</summary>
    private sealed class Link(Socket client)
    {
        public Socket Client { get; } = client;

        public Socket Server { get; } = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

        public volatile bool IsTorn;

        public volatile bool HasScriptUnderWay;

        public void Cut()
        {
            Client.Dispose();
            Server.Dispose();
        }
    }
}
