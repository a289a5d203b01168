namespace Coordination;

/// <summary>
/// Work that is done every so often <b>in the cluster</b>: once in each interval, by whichever node comes first. The last run is remembered in the store, so a
/// restart, a deployment or a change of nodes repeats and drops nothing. Register it with <c>services.AddExclusivePeriodicService&lt;T&gt;(…)</c>.
/// </summary>
/// <remarks>
/// <para>Time is cut into slots of the interval, counted from 1970-01-01 UTC: with one hour, at each full hour. Each slot is run once. A node that starts
/// runs the current slot if nobody has. Of the slots that passed while no node ran, or while a run took longer than the interval, the last is run and the others are not.</para>
/// <para>A run whose node died, lost its lease or was stopped is repeated by another node in the same slot, unless
/// <see cref="ExclusivePeriodicOptions.RecoverInterrupted"/> says otherwise. A run that throws is over, and logged; the next slot tries again. Work throws also where
/// one of the services of its scope does when it is disposed.</para>
/// <para>The instance is made once, when the host starts, and lives as long as it.</para>
/// </remarks>
/// <example>
/// <code>
/// public sealed class Cleanup : ExclusivePeriodicService
/// {
///     protected override async Task RunAsync(PeriodicRun run, CancellationToken stoppingToken) =>
///         await run.Services.GetRequiredService&lt;ShopContext&gt;().DeleteExpiredCartsAsync(stoppingToken);
/// }
///
/// services.AddExclusivePeriodicService&lt;Cleanup&gt;(options => options.Interval = TimeSpan.FromHours(1));
/// </code>
/// </example>
public abstract class ExclusivePeriodicService
{
    /// <summary>Does one run.</summary>
    /// <param name="run">What is run, its lease, and the services of a scope that lasts as long as the run.</param>
    /// <param name="stoppingToken">Cancelled when the run has to stop: the lease was lost, or the host stops.</param>
    /// <returns>
    /// A task that ends when the work has really stopped: nothing that needs the lock may go on after it. When it ends after <paramref name="stoppingToken"/> was
    /// cancelled the run was cut short, with an exception or without: it may have returned before it was done.
    /// </returns>
    protected abstract Task RunAsync(PeriodicRun run, CancellationToken stoppingToken);

    internal Task BeginAsync(PeriodicRun run, CancellationToken stoppingToken) => RunAsync(run, stoppingToken);
}
