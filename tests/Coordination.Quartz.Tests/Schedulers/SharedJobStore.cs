using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Quartz.Extensibility;
using Quartz.Impl;

namespace Coordination.Quartz.Tests.Schedulers;

/// <summary>A store that says of itself that nodes share it and that it outlives them, which a database is needed for otherwise.</summary>
internal sealed class SharedJobStore(IJobStore store, bool isClustered = true) : DelegatingJobStore(store)
{
    public override bool SupportsPersistence => true;

    public override bool Clustered => isClustered;

    public static IJobStore Create(IServiceProvider services) => Create(services, isClustered: true);

    public static IJobStore Create(IServiceProvider services, bool isClustered) =>
        new SharedJobStore(new RAMJobStore(services.GetRequiredService<ILoggerFactory>(), services.GetRequiredService<ISchedulerSignaler>(), TimeProvider.System), isClustered);
}
