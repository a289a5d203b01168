using Microsoft.Extensions.Logging;

namespace Coordination.Hosting.Stops;

/// <summary>The log lines about the time that a stop has: events 1290 to 1299.</summary>
internal static partial class StopLog
{
    [LoggerMessage(1290, LogLevel.Information, "The services of this host have {ShutdownTimeout} to stop, so that its locks are released in the {Grace} that the platform gives it. Set HostOptions.ShutdownTimeout for another time.")]
    public static partial void Shortened(ILogger logger, TimeSpan shutdownTimeout, TimeSpan grace);

    [LoggerMessage(1291, LogLevel.Warning, "A stop of this host may take {Needed} (HostOptions.ShutdownTimeout {ShutdownTimeout}, then Coordination:ReleaseTimeout {ReleaseTimeout}), and the platform kills it after {Grace}: locks that are not released by then pass on only when their leases have run out. Set HostOptions.ShutdownTimeout to {Fitting} or less, or raise terminationGracePeriodSeconds, and Coordination:TerminationGracePeriod with it.")]
    public static partial void DoesNotFit(ILogger logger, TimeSpan needed, TimeSpan shutdownTimeout, TimeSpan releaseTimeout, TimeSpan grace, TimeSpan fitting);
}
