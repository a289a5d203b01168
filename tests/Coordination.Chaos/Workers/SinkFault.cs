namespace Coordination.Chaos.Workers;

/// <summary>What the sinks of a worker's telemetry do.</summary>
internal enum SinkFault
{
    Throw,

    Block,
}
