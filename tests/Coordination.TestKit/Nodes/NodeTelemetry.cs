using Coordination.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Testing;

namespace Coordination.TestKit.Nodes;

/// <summary>What a node has said: logs, metrics and traces are written by another thread.</summary>
public static class NodeTelemetry
{
    private static readonly TimeSpan Bound = TimeSpan.FromMinutes(1);

    extension(IServiceProvider node)
    {
        /// <summary>What was logged until now.</summary>
        public FakeLogCollector FlushedLogs
        {
            get
            {
                node.FlushTelemetry();
                return node.GetFakeLogCollector();
            }
        }

        /// <summary>Waits until all logs, metrics and traces of what has happened are written.</summary>
        public void FlushTelemetry() =>
            Assert.True(SpinWait.SpinUntil(() => node.GetRequiredService<TelemetryDispatcher>().IsIdle, Bound), "A log, metrics or trace sink blocks.");
    }
}
