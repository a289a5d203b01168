using Microsoft.Extensions.Logging;

namespace Coordination.Hosting.Telemetry;

/// <summary>What an operator reads of the drain of one node.</summary>
internal sealed class DrainLog(ILogger logger, string nodeId)
{
    public void Drains() => logger.Drains(nodeId);

    /// <param name="lockName">The lock of the work that has not ended.</param>
    public void PassesOver(string lockName) => logger.DrainPassesOver(lockName, NodeDrain.Patience);

    public void Drained() => logger.Drained(nodeId);

    public void Resumed() => logger.Resumed(nodeId);
}
