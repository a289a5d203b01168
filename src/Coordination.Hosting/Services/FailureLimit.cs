using Coordination.Hosting.Telemetry;
using Microsoft.Extensions.Hosting;

namespace Coordination.Hosting.Services;

/// <summary>Counts the failures of one service, and stops the host when there are as many in a row as it is to end for.</summary>
internal sealed class FailureLimit(ServiceFailures failures, int? stopHostAfter, IHostApplicationLifetime? lifetime, ServiceLog log)
{
    public void Succeeded() => failures.Succeeded();

    /// <param name="failure">What was thrown; null for nothing.</param>
    /// <param name="isFirst">Whether it went well for so long before that this one counts as the first.</param>
    public void Failed(Exception? failure, bool isFirst = false)
    {
        var inARow = failures.Failed(failure, isFirst);
        if (inARow >= stopHostAfter && lifetime is { ApplicationStopping.IsCancellationRequested: false })
        {
            log.StopsHostAfter(inARow);
            lifetime.StopApplication();
        }
    }
}
