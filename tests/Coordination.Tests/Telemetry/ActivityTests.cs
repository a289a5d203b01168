using System.Diagnostics;
using Coordination.Tests.Leases;

namespace Coordination.Tests.Telemetry;

public sealed class ActivityTests : IDisposable
{
    private readonly List<Activity> _stopped = [];
    private readonly ActivityListener _listener;

    public ActivityTests()
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == CoordinationInstrumentation.ActivitySourceName,
            Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = Record,
        };
        ActivitySource.AddActivityListener(_listener);
    }

    [Fact]
    public async Task An_acquisition_and_the_hold_that_follows_are_traced()
    {
        await using var node = new TestNode();
        var lockName = Guid.NewGuid().ToString();
        var before = Activity.Current;
        var lease = await node.AcquireAsync(lockName);
        Assert.Same(before, Activity.Current);
        var acquire = Assert.Single(Stopped(lockName));
        Assert.Equal("coordination.acquire", acquire.OperationName);
        Assert.Equal("granted", acquire.GetTagItem("coordination.acquire.outcome"));

        await lease.ReleaseAsync(TestContext.Current.CancellationToken);
        node.Flush();
        var hold = Stopped(lockName)[^1];
        Assert.Equal("coordination.hold", hold.OperationName);
        Assert.Equal(acquire.SpanId, hold.ParentSpanId);
        Assert.Equal(lease.FencingToken, hold.GetTagItem("coordination.lock.fencing_token"));
        Assert.Equal(ActivityStatusCode.Unset, hold.Status);
    }

    /// <summary>A lease that nobody watches yet would be lost meanwhile.</summary>
    [Fact]
    [Failure("F36")]
    [Promise("G2")]
    public async Task A_listener_that_blocks_when_a_hold_begins_holds_up_no_grant()
    {
        var lockName = Guid.NewGuid().ToString();
        using var goesOn = new ManualResetEventSlim();
        using var blocking = new ActivityListener
        {
            ShouldListenTo = source => source.Name == CoordinationInstrumentation.ActivitySourceName,
            Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStarted = started =>
            {
                if (started.OperationName == "coordination.hold")
                {
                    goesOn.Wait(TimeSpan.FromSeconds(20));
                }
            },
        };
        ActivitySource.AddActivityListener(blocking);
        await using var node = new TestNode();
        try
        {
            var lease = await Task.Run(() => node.AcquireAsync(lockName), TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
            Assert.Equal(LeaseState.Held, lease.State);
        }
        finally
        {
            goesOn.Set();
        }
    }

    [Fact]
    [Failure("F85")]
    public async Task A_standby_has_no_trace_until_it_is_granted_the_lock()
    {
        await using var node = new TestNode();
        var lockName = Guid.NewGuid().ToString();
        var held = await node.AcquireAsync(lockName);
        using var caller = new Activity("start").Start();
        var standsBy = node.Provider.GetLock(lockName).AsStandby().AcquireAsync(TestContext.Current.CancellationToken);
        Assert.Same(caller, Activity.Current);
        await held.DisposeAsync();
        await (await standsBy).DisposeAsync();
        node.Flush();
        Assert.Single(Stopped(lockName), activity => activity.OperationName == "coordination.acquire");
        Assert.Equal(2, Stopped(lockName).Count(activity => activity.OperationName == "coordination.hold"));
    }

    [Fact]
    public async Task A_hold_that_is_lost_is_an_error_with_its_failed_renewals_as_events()
    {
        await using var node = new TestNode();
        var lockName = Guid.NewGuid().ToString();
        var lease = await node.AcquireAsync(lockName);
        node.Store.FailRenewals = true;
        Assert.True(node.AdvanceUntil(() => lease.Lost.IsCancellationRequested, TimeSpan.FromSeconds(13)));
        node.Settle();
        node.Flush();
        var hold = Stopped(lockName)[^1];
        Assert.Equal("coordination.hold", hold.OperationName);
        Assert.Equal(ActivityStatusCode.Error, hold.Status);
        Assert.Equal("deadline_passed", hold.GetTagItem("coordination.loss.reason"));
        Assert.Contains(hold.Events, e => e.Name == "coordination.renewal.failed");
    }

    public void Dispose() => _listener.Dispose();

    private void Record(Activity activity)
    {
        lock (_stopped)
        {
            _stopped.Add(activity);
        }
    }

    /// <summary>The activities of a lock: other tests run at the same time and are heard as well.</summary>
    private List<Activity> Stopped(string lockName)
    {
        lock (_stopped)
        {
            return _stopped.FindAll(activity => (string?)activity.GetTagItem("coordination.lock.name") == lockName);
        }
    }
}
