using Coordination.Hosting.Execution;
using Coordination.Hosting.Telemetry;
using Microsoft.Extensions.Hosting;

namespace Coordination.Hosting.Services;

/// <summary>Counts the failures of one service, and stops the host when there are as many in a row as it is to end for.</summary>
internal sealed class FailureLimit(ServiceFailures failures, int? stopHostAfter, IHostApplicationLifetime? lifetime, ProcessEnd process, ServiceLog log)
{
    public void Succeeded() => failures.Succeeded();

    /// <param name="failure">What was thrown; null for nothing.</param>
    /// <param name="ran">How long the work that failed had run; zero for what is not the work.</param>
    public void Failed(Exception? failure, TimeSpan ran = default)
    {
        var inARow = failures.Failed(failure, ran);
        if (inARow >= stopHostAfter && lifetime is { ApplicationStopping.IsCancellationRequested: false })
        {
            log.StopsHostAfter(inARow);
            process.StopHost(lifetime);
        }
    }
}
