using System.Diagnostics.Metrics;

namespace Coordination.Tests.Leases;

internal sealed class TestMeterFactory : IMeterFactory
{
    public Meter Create(MeterOptions options) => new(options);

    public void Dispose()
    {
    }
}
