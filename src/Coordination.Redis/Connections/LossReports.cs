using System.Collections.Concurrent;
using System.Net;
using Coordination.Redis.Telemetry;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Coordination.Redis.Connections;

/// <summary>
/// Says that a connection was lost, when it stays so. A server closes connections that are idle (its setting <c>timeout</c>), and proxies do; the client makes
/// such a one anew at once, and nobody has to know.
/// </summary>
internal sealed class LossReports(ILogger logger, CancellationToken disposing)
{
    /// <summary>How long a connection may be away before that is worth a warning. The client notices within a heartbeat, and tries again within another.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<EndPoint, Loss> _losses = new();

    /// <summary>Learns that a connection was lost, or could not be restored.</summary>
    public void Lost(EndPoint server, ConnectionFailureType failureType)
    {
        var loss = new Loss(failureType);
        if (_losses.TryAdd(server, loss))
        {
            _ = WarnAsync(server, loss);
        }
    }

    /// <summary>Learns that a connection stands again.</summary>
    public void Restored(EndPoint server)
    {
        if (!_losses.TryRemove(server, out var loss))
        {
            return;
        }

        if (loss.TryEnd())
        {
            Log.ConnectionClosed(logger, server, loss.FailureType);
        }
        else
        {
            Log.ConnectionRestored(logger, server);
        }
    }

    private async Task WarnAsync(EndPoint server, Loss loss)
    {
        await Task.Delay(Grace, TimeProvider.System, disposing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!disposing.IsCancellationRequested && loss.TryEnd())
        {
            Log.ConnectionLost(logger, server, loss.FailureType);
        }
    }

    /// <summary>A loss that has not been spoken of.</summary>
    private sealed class Loss(ConnectionFailureType failureType)
    {
        private int _isSaid;

        public ConnectionFailureType FailureType => failureType;

        /// <returns>Whether nobody has spoken of it.</returns>
        public bool TryEnd() => Interlocked.Exchange(ref _isSaid, 1) == 0;
    }
}
