using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace WorkerReplicas.Ledger;

/// <summary>One end of a connection between a replica and the ledger: a line of JSON for each message.</summary>
internal sealed class LedgerStream(TcpClient client) : IAsyncDisposable
{
    private readonly StreamReader _reader = new(client.GetStream(), Encoding.UTF8);
    private readonly NetworkStream _stream = client.GetStream();

    public async Task SendAsync<T>(T message, CancellationToken cancellationToken)
    {
        byte[] line = [.. JsonSerializer.SerializeToUtf8Bytes(message), (byte)'\n'];
        await _stream.WriteAsync(line, cancellationToken);
    }

    /// <summary>Reads the next message; null when the other end has closed the connection, or died.</summary>
    public async Task<T?> ReceiveAsync<T>(CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            var line = await _reader.ReadLineAsync(cancellationToken);
            return line is null ? null : JsonSerializer.Deserialize<T>(line);
        }
        catch (IOException)
        {
            // The process at the other end was killed with something unread.
            return null;
        }
    }

    public ValueTask DisposeAsync()
    {
        _reader.Dispose();
        client.Dispose();
        return ValueTask.CompletedTask;
    }
}
