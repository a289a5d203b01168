using System.Diagnostics;
using Quartz;

namespace Coordination.Quartz.Names;

/// <summary>What the jobs and triggers of a scheduler are called on every node, so that no other application's or scheduler's are called the same.</summary>
internal sealed class SchedulerNames
{
    /// <summary>The clock of the system's that says when the process began is coarse.</summary>
    private static readonly TimeSpan Coarseness = TimeSpan.FromSeconds(1);

    private static readonly DateTimeOffset ProcessBegan = FindProcessBegan();

    /// <summary>When all that is registered had been made.</summary>
    private readonly DateTimeOffset _madeAt;

    private readonly string? _application;
    private readonly RegisteredContent _content;
    private readonly Lazy<HashSet<Type>> _ambiguousTypes;
    private readonly Lazy<HashSet<TriggerKey>> _alikeTriggers;

    private volatile SchedulerMetadata? _metadata;

    /// <param name="application">The name of the application; null when it has none.</param>
    /// <param name="content">What is registered with the scheduler.</param>
    public SchedulerNames(string? application, RegisteredContent content)
    {
        _application = application;
        _content = content;
        _madeAt = TimeProvider.System.GetUtcNow();
        _ambiguousTypes = new(() => [.. Repeated(_content.JobsWithoutKeys, job => job.JobType.Type).Select(job => job.JobType.Type)]);
        _alikeTriggers = new(() => [.. Repeated(_content.TriggersWithoutKeys.Where(trigger => !IsOfOneNode(trigger)), trigger => (trigger.JobKey, TriggerTraits.Describe(trigger))).Select(trigger => trigger.Key)]);
    }

    /// <summary>
    /// A job is called by its key. One that was given none has a generated one, which is another on each node unless a store keeps it; such jobs are
    /// called by their type.
    /// </summary>
    public async ValueTask<JobName> OfJobAsync(IScheduler scheduler, IJobDetail job, CancellationToken cancellationToken)
    {
        var metadata = await DescribeAsync(scheduler, cancellationToken).ConfigureAwait(false);
        if (_application is null)
        {
            return Nameless($"The job {job.Key} has no name that no other application's has. Set {CoordinationOptions.SectionName}:{nameof(CoordinationOptions.ApplicationName)}.");
        }

        var type = job.JobType.Type;
        if (metadata.JobStorePersistent || !_content.IsGenerated(job.Key))
        {
            return !metadata.JobStorePersistent && !_content.IsKnown && MayBeGenerated(job.Key.Group, job.Key.Name)
                ? Nameless($"Whether the job {job.Key} ({type}) was given its key cannot be known with this version of Quartz. Give it a name and a group with WithIdentity(name, group).")
                : new JobName(LockName.Compose(_application, scheduler.SchedulerName, job.Key.Group, job.Key.Name));
        }

        return _ambiguousTypes.Value.Contains(type)
            ? Nameless($"Several jobs of the type {type} were given no key, so no node can tell them from each other: {job.Key} is one. Give each a key with WithIdentity.")
            : new JobName(LockName.Compose(_application, scheduler.SchedulerName, type.ToString()), IsOfType: true);
    }

    /// <summary>A trigger is called by its key, and one that was given none by all that it has. Asked for after its job.</summary>
    /// <exception cref="ArgumentException">Another trigger has the same.</exception>
    public string OfTrigger(ITrigger trigger)
    {
        if (IsStoreKept || !_content.IsGenerated(trigger.Key))
        {
            return LockName.Compose(trigger.Key.Group, trigger.Key.Name);
        }

        return _alikeTriggers.Value.Contains(trigger.Key)
            ? throw new ArgumentException(
                $"Several triggers of the job {trigger.JobKey} were given no key and are alike ({TriggerTraits.DescribeSchedule(trigger)}), so no node can tell them from each other: {trigger.Key} is one. Give each a key with WithIdentity.")
            : TriggerTraits.Describe(trigger);
    }

    /// <summary>Whether a store keeps jobs and triggers that outlives the process, so that all nodes have the same. Known once a job was asked for.</summary>
    public bool IsStoreKept => _metadata is { JobStorePersistent: true };

    /// <summary>Whether a trigger is each node's own: to run once, from now on, under a key that nobody gave. One that starts at another time has that in common with those of other nodes.</summary>
    public bool IsOfOneNode(ITrigger trigger) => IsOnce(trigger) && StartsWithProcess(trigger) && _content.IsGenerated(trigger.Key);

    /// <summary>
    /// Whether a trigger that is registered starts "now": no trigger keeps whether it was told to, but one that starts before this process, or after its scheduler's
    /// triggers were made, was given another time.
    /// </summary>
    public bool StartsWithProcess(ITrigger trigger) => trigger.StartTimeUtc >= ProcessBegan - Coarseness && trigger.StartTimeUtc <= _madeAt;

    /// <summary>Whether a key was set at run time that may be a generated one: no record tells.</summary>
    public bool MayBeOfOneNode(JobKey job) => !IsStoreKept && !_content.Has(job) && MayBeGenerated(job.Group, job.Name);

    /// <inheritdoc cref="MayBeOfOneNode(JobKey)"/>
    public bool MayBeOfOneNode(ITrigger trigger) => !IsStoreKept && !_content.Has(trigger.Key) && MayBeGenerated(trigger.Key.Group, trigger.Key.Name);

    private static bool IsOnce(ITrigger trigger) => trigger is ISimpleTrigger { RepeatCount: 0 };

    /// <summary>Quartz generates GUIDs, in the default group: any other key was given.</summary>
    private static bool MayBeGenerated(string group, string name) => group == JobKey.DefaultGroup && Guid.TryParseExact(name, "D", out _);

    private static IEnumerable<T> Repeated<T, TKey>(IEnumerable<T> all, Func<T, TKey> keyOf) =>
        all.GroupBy(keyOf).Where(alike => alike.Skip(1).Any()).SelectMany(alike => alike);

    private static JobName Nameless(string fault) => new("", Fault: fault);

    private static DateTimeOffset FindProcessBegan()
    {
        using var process = Process.GetCurrentProcess();
        return process.StartTime.ToUniversalTime();
    }

    private async ValueTask<SchedulerMetadata> DescribeAsync(IScheduler scheduler, CancellationToken cancellationToken) =>
        _metadata ??= await scheduler.GetMetadata(cancellationToken).ConfigureAwait(false);
}
