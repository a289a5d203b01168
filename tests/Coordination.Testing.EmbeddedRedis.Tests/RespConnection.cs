using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Coordination.Testing.EmbeddedRedis.Tests;

/// <summary>The least that speaks to a Redis-compatible server, so that these tests need no client library.</summary>
internal sealed class RespConnection : IAsyncDisposable
{
    private readonly TcpClient _client = new() { NoDelay = true };
    private StreamReader? _reader;

    public static async Task<RespConnection> ConnectAsync(IPEndPoint endPoint, CancellationToken cancellationToken)
    {
        var connection = new RespConnection();
        try
        {
            await connection._client.ConnectAsync(endPoint, cancellationToken);
            connection._reader = new StreamReader(connection._client.GetStream(), Encoding.ASCII);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Sends a command and reads its reply: a line, a number or a text; null for none.</summary>
    public async Task<string?> SendAsync(CancellationToken cancellationToken, params string[] words)
    {
        var command = new StringBuilder().Append(CultureInfo.InvariantCulture, $"*{words.Length}\r\n");
        foreach (var word in words)
        {
            command.Append(CultureInfo.InvariantCulture, $"${word.Length}\r\n{word}\r\n");
        }

        await _client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(command.ToString()), cancellationToken);
        var line = await _reader!.ReadLineAsync(cancellationToken) ?? throw new IOException("The server closed the connection.");
        return line switch
        {
            "$-1" => null,
            ['$', ..] => await _reader.ReadLineAsync(cancellationToken),
            ['-', .. var error] => throw new IOException(error),
            _ => line[1..],
        };
    }

    public ValueTask DisposeAsync()
    {
        _reader?.Dispose();
        _client.Dispose();
        return ValueTask.CompletedTask;
    }
}
