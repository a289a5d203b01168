using System.Net.Sockets;
using System.Text;
using StackExchange.Redis;

namespace Coordination.Benchmarks.Servers;

/// <summary>
/// Counts the commands of each client by what the server's MONITOR says of them. INFO has one count for all clients, in which the
/// holder's renewals and the commands within scripts are, too.
/// </summary>
internal sealed class CommandMonitor : IAsyncDisposable
{
    private readonly TcpClient _socket;
    private readonly IServer _server;
    private readonly Dictionary<string, CommandCount> _byAddress = [];
    private readonly Dictionary<string, string> _names = [];
    private readonly Task _reading;
    private long _inScripts;

    private CommandMonitor(TcpClient socket, IServer server)
    {
        _socket = socket;
        _server = server;
        _reading = ReadAsync();
    }

    /// <summary>How many commands scripts have called so far.</summary>
    public long InScripts => Interlocked.Read(ref _inScripts);

    public static async Task<CommandMonitor> StartAsync(IServer server, string address)
    {
        var socket = new TcpClient();
        var at = address.LastIndexOf(':');
        await socket.ConnectAsync(address[..at], int.Parse(address[(at + 1)..]));
        await socket.GetStream().WriteAsync("MONITOR\r\n"u8.ToArray());
        var monitor = new CommandMonitor(socket, server);
        await monitor.NoteNamesAsync();
        return monitor;
    }

    /// <summary>Ends, and tells what the clients of each name sent.</summary>
    public async Task<Func<string, CommandCount>> StopAsync()
    {
        await NoteNamesAsync();
        _socket.Client.Shutdown(SocketShutdown.Both);
        await _reading;
        var byName = new Dictionary<string, CommandCount>();
        foreach (var (address, count) in _byAddress)
        {
            if (_names.TryGetValue(address, out var name))
            {
                byName.TryAdd(name, new CommandCount());
                byName[name].Add(count);
            }
        }

        return name => byName.GetValueOrDefault(name) ?? new CommandCount();
    }

    public async ValueTask DisposeAsync()
    {
        _socket.Dispose();
        await _reading;
    }

    private async Task NoteNamesAsync()
    {
        foreach (var client in await _server.ClientListAsync())
        {
            _names[client.Address!.ToString()!] = client.Name ?? string.Empty;
        }
    }

    private async Task ReadAsync()
    {
        using var reader = new StreamReader(_socket.GetStream(), Encoding.Latin1, detectEncodingFromByteOrderMarks: false, bufferSize: 1 << 16);
        try
        {
            while (await reader.ReadLineAsync() is { } line)
            {
                Note(line);
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The end of the count.
        }
    }

    /// <summary>A line is: +seconds [database address] "COMMAND" "argument"…, with lua in place of the address within a script.</summary>
    private void Note(string line)
    {
        var open = line.IndexOf('[', StringComparison.Ordinal);
        var close = line.IndexOf("] \"", StringComparison.Ordinal);
        if (open < 0 || close < open)
        {
            return;
        }

        var address = line[(line.IndexOf(' ', open) + 1)..close];
        if (address == "lua")
        {
            Interlocked.Increment(ref _inScripts);
            return;
        }

        var command = line[(close + 3)..line.IndexOf('"', close + 3)].ToUpperInvariant();
        if (!_byAddress.TryGetValue(address, out var count))
        {
            _byAddress[address] = count = new CommandCount();
        }

        count.Add(command, 1);
    }
}
