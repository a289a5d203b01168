namespace Coordination;

/// <summary>The names under which this library reports to OpenTelemetry and other listeners.</summary>
public static class CoordinationInstrumentation
{
    /// <summary>The meter: <c>Coordination</c>. Pass it to <c>AddMeter</c>.</summary>
    public const string MeterName = "Coordination";

    /// <summary>The activity source: <c>Coordination</c>. Pass it to <c>AddSource</c>.</summary>
    public const string ActivitySourceName = "Coordination";
}
