using Coordination.Hosting.Telemetry;
using Microsoft.Extensions.Hosting;

namespace Coordination.Hosting.Execution;

/// <summary>Watches work whose lease may be lost: tells of the loss, and of work that goes on in spite of it, and does about that what the options say.</summary>
internal sealed class OverdueWatch(OverdueRule rule, IHostApplicationLifetime? lifetime, ProcessEnd process, TimeProvider time, ServiceLog log)
{
    private readonly TaskCompletionSource _abandoned = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when nobody is to wait for the work any more.</summary>
    public Task Abandoned => _abandoned.Task;

    /// <summary>Completes when the work has.</summary>
    /// <param name="lease">The lease of the work.</param>
    /// <param name="work">The work.</param>
    /// <param name="onLost">Called when the lease is lost while the work runs.</param>
    /// <param name="onOverdue">Called when it goes on too long after that, and each time that is warned of.</param>
    public async Task WatchAsync(ILockLease lease, Task work, Action onLost, Action onOverdue)
    {
        await work.WaitAsync(lease.Lost).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!lease.Lost.IsCancellationRequested)
        {
            return;
        }

        onLost();
        log.Lost(lease);

        var lostAt = time.GetTimestamp();
        for (var patience = rule.After; ; patience = rule.WarningInterval)
        {
            await work.WaitAsync(patience, time, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (work.IsCompleted)
            {
                return;
            }

            onOverdue();
            log.Overdue(lease, time.GetElapsedTime(lostAt));
            await ActAsync(lease).ConfigureAwait(false);
        }
    }

    private async Task ActAsync(ILockLease lease)
    {
        switch (rule.Action)
        {
            case OverdueAction.StopHost when _abandoned.TrySetResult():
                log.StopsHost(lease);
                process.StopHost(lifetime);
                break;
            case OverdueAction.EndProcess:
                log.EndsProcess(lease, ProcessEnd.ExitCode);
                await process.EndAsync().ConfigureAwait(false);
                break;
        }
    }
}
