using Coordination.Hosting.Leadership;
using Coordination.Hosting.Services;
using Coordination.Hosting.Stores;
using Coordination.Stores;
using Coordination.Telemetry;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Coordination.Hosting.Health;

/// <summary>How the coordination of this node does: its services, and whether a lock is there to be acquired.</summary>
internal sealed class CoordinationHealthCheck(
    ExclusiveServices services,
    ILockProvider locks,
    ILockStore store,
    ILockStoreAdministration administration,
    StoreCondition condition,
    TimeProvider time,
    TimeSpan timeLimit) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(context);

        // A store that replies to a ping may grant no lock all the same: what the node's own calls met says more. It is asked where there were none.
        var trouble = condition.Trouble ?? (condition.IsKnown ? null : await AskStoreAsync(cancellationToken).ConfigureAwait(false));
        var statuses = services.All.Select(static service => service.Leadership.Status).ToList();
        var data = new Dictionary<string, object>
        {
            ["node"] = locks.NodeId,
            ["store"] = store.Name,
            ["locks"] = statuses.ToDictionary(static status => status.Leadership.LockName, Describe),
        };

        var overdue = statuses.Where(static status => status.Phase == ServicePhase.Overdue).ToList();
        if (overdue.Count > 0)
        {
            var names = string.Join(", ", overdue.Select(static status => $"'{status.Leadership.LockName}'"));
            return new HealthCheckResult(
                context.Registration.FailureStatus,
                $"Work goes on although its lock was lost, maybe beside that of another node: {names}.",
                data: data);
        }

        if (trouble is not null)
        {
            return HealthCheckResult.Degraded(trouble, data: data);
        }

        var led = statuses.Count(static status => status.Leadership.IsLeader);
        return HealthCheckResult.Healthy($"Leads {led} of {statuses.Count}.", data);
    }

    private async Task<string?> AskStoreAsync(CancellationToken cancellationToken)
    {
        try
        {
            await StoreTimeLimit.ApplyAsync(timeLimit, administration.PingAsync, time, cancellationToken).ConfigureAwait(false);
            return null;
        }
        catch (LockStoreException exception)
        {
            // Its message holds no secret; what the backend's own exception inside it holds, nobody knows.
            return $"The store '{store.Name}' is away: {exception.Message}";
        }
        catch (NotSupportedException)
        {
            // A store that nobody can ask whether it is there: whether it is, its locks show.
            return null;
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            // A store that throws what it should not. Its message is not known to be free of secrets.
            return $"The store '{store.Name}' failed with {exception.GetType().Name}.";
        }
    }

    private static IReadOnlyDictionary<string, object> Describe(ServiceStatus status)
    {
        var data = new Dictionary<string, object>
        {
            ["role"] = status switch
            {
                { Leadership.IsLeader: true } => "leader",
                { Phase: ServicePhase.Standby } => "standby",
                _ => "none",
            },
            ["state"] = status switch
            {
                { Leadership.IsLeader: true, Lease: LeaseState.InDoubt } => "in doubt",
                { Leadership.IsLeader: true } => "held",
                { Phase: ServicePhase.Leader } => "lost",
                { Phase: ServicePhase.BackingOff } => "backing off",
                { Phase: var phase } => phase.ToString().ToLowerInvariant(),
            },
        };

        if (status.Leadership.Leader is { } leader)
        {
            data["nodeId"] = leader.NodeId;
            data["token"] = leader.FencingToken;
            data["since"] = leader.Since;
        }

        return data;
    }
}
