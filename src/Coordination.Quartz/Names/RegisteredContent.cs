using Quartz;

namespace Coordination.Quartz.Names;

/// <summary>
/// The jobs and triggers that are registered with a scheduler, and which of their keys Quartz generated, by Quartz's own record. Nothing else tells
/// a generated key from a given one: it is a GUID, and so are the ids of tenants and orders.
/// </summary>
internal sealed class RegisteredContent
{
    private readonly HashSet<string> _generatedKeys = new(StringComparer.Ordinal);
    private readonly HashSet<JobKey> _jobKeys = [];
    private readonly HashSet<TriggerKey> _triggerKeys = [];
    private readonly List<IJobDetail> _jobs = [];
    private readonly List<ITrigger> _triggers = [];

    /// <param name="registrations">From <see cref="QuartzRecord"/>.</param>
    public RegisteredContent(IEnumerable<(IEnumerable<IJobDetail> Jobs, IEnumerable<ITrigger> Triggers, string? GeneratedKey)>? registrations)
    {
        IsKnown = registrations is not null;
        foreach (var (jobs, triggers, generatedKey) in registrations ?? [])
        {
            _jobs.AddRange(jobs);
            _triggers.AddRange(triggers);
            if (generatedKey is not null)
            {
                _generatedKeys.Add(generatedKey);
            }
        }

        _jobKeys.UnionWith(_jobs.Select(job => job.Key));
        _triggerKeys.UnionWith(_triggers.Select(trigger => trigger.Key));
    }

    /// <summary>Whether this version of Quartz tells what it generated.</summary>
    public bool IsKnown { get; }

    public IEnumerable<IJobDetail> JobsWithoutKeys => _jobs.Where(job => IsGenerated(job.Key));

    public IEnumerable<ITrigger> TriggersWithoutKeys => _triggers.Where(trigger => IsGenerated(trigger.Key));

    public bool Has(JobKey job) => _jobKeys.Contains(job);

    public bool Has(TriggerKey trigger) => _triggerKeys.Contains(trigger);

    /// <summary>Whether Quartz generated a key. One of a job without key that is scheduled together with its trigger is the trigger's.</summary>
    public bool IsGenerated(JobKey job) => _generatedKeys.Contains(job.ToString());

    /// <inheritdoc cref="IsGenerated(JobKey)"/>
    public bool IsGenerated(TriggerKey trigger) => _generatedKeys.Contains(trigger.ToString());
}
