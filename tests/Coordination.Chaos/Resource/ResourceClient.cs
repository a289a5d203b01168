using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Coordination.Chaos.Resource;

/// <summary>A worker's connection to the resource, for one lock at a time.</summary>
internal sealed class ResourceClient : IDisposable
{
    private readonly TcpClient _client;
    private readonly StreamReader _reader;
    private readonly StreamWriter _writer;
    private readonly string _by;

    private ResourceClient(TcpClient client, string by)
    {
        _client = client;
        _by = by;
        _reader = new StreamReader(client.GetStream());
        _writer = new StreamWriter(client.GetStream()) { AutoFlush = true };
    }

    public static async Task<ResourceClient> ConnectAsync(int port, string by)
    {
        var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(IPAddress.Loopback, port).WaitAsync(TimeSpan.FromSeconds(10));
        return new ResourceClient(client, by);
    }

    /// <returns>Whether the fenced register accepted it.</returns>
    public async Task<bool> WriteAsync(string lockName, long attempt, long? token)
    {
        await _writer.WriteLineAsync($"{lockName} {_by} {attempt} {token?.ToString(CultureInfo.InvariantCulture) ?? "-"}");
        return await _reader.ReadLineAsync() == "accepted";
    }

    public void Dispose()
    {
        _reader.Dispose();
        _writer.Dispose();
        _client.Dispose();
    }
}
