using System.Diagnostics.Metrics;

namespace Coordination.Telemetry;

/// <summary>
/// The meter <see cref="CoordinationInstrumentation.MeterName"/>, as what makes its instruments sees it. Whoever listens is told of an instrument by the thread
/// that makes it, and may throw: that costs the instrument, and not what it measures. For packages that build on this one.
/// </summary>
public sealed class CoordinationMeter : IDisposable
{
    private readonly TelemetryDispatcher _dispatcher;
    private readonly Meter? _meter;

    /// <summary>The meter.</summary>
    /// <param name="factory">Makes it.</param>
    /// <param name="dispatcher">Told of what throws.</param>
    /// <param name="nodeName">The name of the node, where its container has several: a tag of the meter. Null for the node that has none.</param>
    /// <exception cref="ArgumentNullException"><paramref name="factory"/> or <paramref name="dispatcher"/> is null.</exception>
    public CoordinationMeter(IMeterFactory factory, TelemetryDispatcher dispatcher, string? nodeName)
    {
        ArgumentNullException.ThrowIfNull(factory);
        ArgumentNullException.ThrowIfNull(dispatcher);
        _dispatcher = dispatcher;
        var options = new MeterOptions(CoordinationInstrumentation.MeterName)
        {
            Tags = nodeName is null ? null : [new KeyValuePair<string, object?>("coordination.node.name", nodeName)],
        };
        _meter = dispatcher.Tell((factory, options), static told => told.factory.Create(told.options), null);
    }

    /// <summary>Makes an instrument.</summary>
    /// <param name="create">Makes it on the meter.</param>
    /// <returns>Null where a listener threw.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="create"/> is null.</exception>
    public T? Create<T>(Func<Meter, T> create)
        where T : Instrument
    {
        ArgumentNullException.ThrowIfNull(create);
        return _meter is null ? null : _dispatcher.Tell((_meter, create), static told => (T?)told.create(told._meter), null);
    }

    /// <summary>Ends the meter, of which listeners are told as well.</summary>
    public void Dispose()
    {
        if (_meter is not null)
        {
            _dispatcher.Tell(
                _meter,
                static meter =>
                {
                    meter.Dispose();
                    return true;
                },
                false);
        }
    }
}
