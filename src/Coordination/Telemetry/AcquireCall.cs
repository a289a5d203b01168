using System.Diagnostics;

namespace Coordination.Telemetry;

/// <summary>An acquisition under way, as <see cref="AcquireTelemetry"/> measures it. A value: most acquisitions are over in a round trip, and allocate little else.</summary>
/// <param name="Kind">What it is for.</param>
/// <param name="BegunAt">When it was called.</param>
/// <param name="Activity">Its trace; null when nobody listens.</param>
internal readonly record struct AcquireCall(CallKind Kind, TimeSpan BegunAt, Activity? Activity);
