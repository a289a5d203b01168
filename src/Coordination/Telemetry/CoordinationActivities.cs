using System.Diagnostics;

namespace Coordination.Telemetry;

/// <summary>The traces: an acquisition, and the hold that follows it with its failed renewals as events.</summary>
internal static class CoordinationActivities
{
    private const string LockNameTag = "coordination.lock.name";
    private const string OwnerTag = "coordination.lock.owner";
    private const string TokenTag = "coordination.lock.fencing_token";

    private static readonly ActivitySource Source = new(CoordinationInstrumentation.ActivitySourceName);

    /// <summary>Whether anybody listens to traces.</summary>
    /// <remarks>To be asked by way of the dispatcher, as all here: the first call makes the source, of which listeners are told, who may throw.</remarks>
    public static bool HasListeners => Source.HasListeners();

    public static Activity? StartAcquire(string lockName)
    {
        var activity = Source.StartActivity("coordination.acquire", ActivityKind.Client);
        activity?.SetTag(LockNameTag, lockName);
        return activity;
    }

    public static bool EndAcquire(Activity activity, AcquireOutcome outcome)
    {
        activity.SetTag("coordination.acquire.outcome", CoordinationMetrics.Describe(outcome));
        if (outcome == AcquireOutcome.Failed)
        {
            activity.SetStatus(ActivityStatusCode.Error);
        }

        activity.Dispose();
        return true;
    }

    /// <summary>Starts the trace of a hold beside, and not above, what the caller does next.</summary>
    public static Activity? StartHold(string lockName, LockOwner owner, long fencingToken, ActivityContext parent, DateTimeOffset startTime)
    {
        var current = Activity.Current;
        var activity = Source.StartActivity("coordination.hold", ActivityKind.Internal, parent, startTime: startTime);
        activity?.SetTag(LockNameTag, lockName).SetTag(OwnerTag, owner.ToString()).SetTag(TokenTag, fencingToken);
        Activity.Current = current;
        return activity;
    }

    public static void RenewalFailed(Activity? hold, Exception error) =>
        hold?.AddEvent(new ActivityEvent("coordination.renewal.failed", tags: new ActivityTagsCollection { ["error.type"] = error.GetType().FullName }));

    public static void EndHold(Activity hold, TimeSpan heldFor, LeaseLossReason? reason, string? cause)
    {
        if (reason is { } why)
        {
            hold.SetTag("coordination.loss.reason", CoordinationMetrics.Describe(why)).SetStatus(ActivityStatusCode.Error, "lost");
        }

        if (cause is not null)
        {
            hold.SetTag("coordination.loss.cause", cause);
        }

        // It ended when the lease did, and not when somebody found the time to say so.
        hold.SetEndTime(hold.StartTimeUtc + heldFor);
        var current = Activity.Current;
        hold.Dispose();
        Activity.Current = current;
    }
}
