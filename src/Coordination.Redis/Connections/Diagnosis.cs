using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Coordination.Redis.Connections;

/// <summary>
/// Finds out why there is no connection. The client library says the same of a server that is down, of one that hangs, of a name that nobody knows and of
/// another program on the port, and keeps the cause to itself. So a connection of this one's own asks: with one PING, and without a password.
/// </summary>
/// <remarks>Its time is the system's, as that of the sockets is that it waits for.</remarks>
/// <param name="servers">The servers that are not in reach.</param>
/// <param name="isSecured">Whether they want TLS, so that nothing can be asked in plain text.</param>
internal sealed class Diagnosis(Func<IEnumerable<EndPoint>> servers, Func<bool> isSecured)
{
    private const int Most = 3;

    /// <summary>How long one server may take.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);

    /// <summary>From the beginning of one diagnosis to that of the next.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    /// <summary>For how long one says anything.</summary>
    private static readonly TimeSpan Memory = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private Task _current = Task.CompletedTask;
    private long? _begunAt;
    private Found? _found;

    /// <summary>What was found a moment ago, such as <c>cannot connect to localhost:6379: connection refused</c>; null for nothing.</summary>
    public string? Finding => Recent?.Text;

    /// <summary>The same where it was found of every server: none of them can be the one that a connection is being made to.</summary>
    public string? FindingOfAll => Recent is { IsOfAll: true } found ? found.Text : null;

    private Found? Recent => Volatile.Read(ref _found) is { } found && Stopwatch.GetElapsedTime(found.At) < Memory ? found : null;

    /// <summary>Begins to find out, unless that is under way or was done a moment ago.</summary>
    /// <returns>Ends when it is found out.</returns>
    public Task BeginAsync()
    {
        lock (_gate)
        {
            if (_current.IsCompleted && !(_begunAt is { } begunAt && Stopwatch.GetElapsedTime(begunAt) < Pause))
            {
                _begunAt = Stopwatch.GetTimestamp();
                var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _current = ended.Task;
                _ = Detached.RunAsync(() => FindAllAsync(ended));
            }

            return _current;
        }
    }

    /// <summary>There is a connection again.</summary>
    public void Forget() => Volatile.Write(ref _found, null);

    /// <param name="ended">Ends with it. Several wait for it, of whom one may go on into code that blocks until another has gone on.</param>
    /// <returns>True.</returns>
    private async Task<bool> FindAllAsync(TaskCompletionSource ended)
    {
        try
        {
            await FindAllAsync().ConfigureAwait(false);
            return true;
        }
        finally
        {
            ended.SetResult();
        }
    }

    private async Task FindAllAsync()
    {
        var unreached = servers().ToList();
        if (unreached.Count == 0)
        {
            // Nobody was asked, as where the client has not noticed yet. The next look is not put off by this one.
            lock (_gate)
            {
                _begunAt = null;
            }
        }

        var findings = await Task.WhenAll(unreached.Take(Most).Select(FindAsync)).ConfigureAwait(false);
        var text = string.Join("; ", findings.OfType<string>());
        Volatile.Write(ref _found, text.Length == 0 ? null : new Found(text, findings.OfType<string>().Count() == unreached.Count, Stopwatch.GetTimestamp()));
    }

    /// <returns>Null when nothing is wrong that can be seen from here.</returns>
    private async Task<string?> FindAsync(EndPoint server)
    {
        var address = ServerAddress.Of(server);
        using var limit = new CancellationTokenSource(Limit, TimeProvider.System);
        using var socket = server is UnixDomainSocketEndPoint
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(server, limit.Token).ConfigureAwait(false);
        }
        catch (SocketException refused)
        {
            return $"cannot connect to {address}: {Describe(refused.SocketErrorCode)}";
        }
        catch (OperationCanceledException)
        {
            return $"cannot connect to {address}: timed out";
        }

        return isSecured() ? null : await AskAsync(socket, address, limit.Token).ConfigureAwait(false);
    }

    private static async Task<string?> AskAsync(Socket socket, string address, CancellationToken limit)
    {
        try
        {
            await socket.SendAsync("*1\r\n$4\r\nPING\r\n"u8.ToArray(), limit).ConfigureAwait(false);
            var reply = new byte[1];
            return await socket.ReceiveAsync(reply, limit).ConfigureAwait(false) == 0
                ? $"{address} closes connections without a reply; if it wants TLS, set ssl=true"
                : IsOfRedis(reply[0]) ? null : $"what replies at {address} is not a Redis server";
        }
        catch (SocketException)
        {
            return $"{address} breaks connections off";
        }
        catch (OperationCanceledException)
        {
            return $"{address} takes connections and does not reply";
        }
    }

    /// <summary>A status, or an error, such as that of a server that asks for a password.</summary>
    private static bool IsOfRedis(byte first) => first is (byte)'+' or (byte)'-';

    private static string Describe(SocketError error) => error switch
    {
        SocketError.ConnectionRefused => "connection refused",
        SocketError.TimedOut => "timed out",
        SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData or SocketError.NoRecovery => "host not found",
        SocketError.HostUnreachable or SocketError.HostDown => "host unreachable",
        SocketError.NetworkUnreachable or SocketError.NetworkDown => "network unreachable",
        _ => error.ToString(),
    };

    private sealed record Found(string Text, bool IsOfAll, long At);
}
