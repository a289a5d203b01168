using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Coordination.TestKit.Clocks;

namespace Coordination.Chaos.Resource;

/// <summary>
/// What the locks are there for: for each lock a register that checks tokens and one that does not. It belongs to the runner and knows nothing of Redis.
/// </summary>
internal sealed class GuardedResource : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _ending = new();
    private readonly ConcurrentDictionary<string, Register> _registers = new();
    private readonly ConcurrentQueue<ResourceWrite> _writes = new();
    private readonly ConcurrentDictionary<TcpClient, Task> _clients = new();
    private readonly bool _isFenced;
    private readonly Task _accepting;

    /// <param name="isFenced">Whether the fenced register refuses old tokens, as it should.</param>
    public GuardedResource(bool isFenced)
    {
        _isFenced = isFenced;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>The first write of each holding, those after another holding's, and those that were refused.</summary>
    public IReadOnlyList<ResourceWrite> Writes => [.. _writes];

    /// <summary>How many writes came.</summary>
    public long Count => _registers.Values.Sum(register => register.Count);

    /// <summary>Who wrote last under a lock; null for nobody.</summary>
    public string? LastWriterOf(string lockName) => _registers.TryGetValue(lockName, out var register) ? register.LastBy : null;

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        _listener.Stop();
        foreach (var client in _clients.Keys)
        {
            client.Dispose();
        }

        await _accepting;
        await Task.WhenAll(_clients.Values).WaitAsync(TimeSpan.FromSeconds(10));
        _listener.Dispose();
        _ending.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            try
            {
                var client = await _listener.AcceptTcpClientAsync(_ending.Token);
                _clients[client] = ServeAsync(client);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                // Disposed.
                return;
            }
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        try
        {
            client.NoDelay = true;
            using var reader = new StreamReader(client.GetStream());
            await using var writer = new StreamWriter(client.GetStream()) { AutoFlush = true };
            while (await reader.ReadLineAsync(_ending.Token) is { } line)
            {
                var words = line.Split(' ');
                var isAccepted = Accept(words[0], words[1], long.Parse(words[2], CultureInfo.InvariantCulture), words[3] == "-" ? null : long.Parse(words[3], CultureInfo.InvariantCulture));
                await writer.WriteLineAsync((isAccepted ? "accepted" : "refused").AsMemory(), _ending.Token);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The worker was killed, or the run is over.
        }
    }

    private bool Accept(string lockName, string by, long attempt, long? token)
    {
        var register = _registers.GetOrAdd(lockName, _ => new Register());
        lock (register)
        {
            var isAccepted = !_isFenced || token is null || token >= register.Highest;
            if (isAccepted && token is not null)
            {
                register.Highest = Math.Max(register.Highest, token.Value);
            }

            register.Count++;
            if (!isAccepted || (register.LastBy, register.LastAttempt) != (by, attempt))
            {
                _writes.Enqueue(new ResourceWrite(MachineClock.Now, lockName, by, attempt, token, isAccepted));
                (register.LastBy, register.LastAttempt) = (by, attempt);
            }

            return isAccepted;
        }
    }

    private sealed class Register
    {
        public long Highest { get; set; }

        public string? LastBy { get; set; }

        public long LastAttempt { get; set; }

        public long Count { get; set; }
    }
}
