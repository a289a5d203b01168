using System.Diagnostics.CodeAnalysis;
using Coordination.Stores;
using Quartz;

namespace Coordination.Quartz.Execution;

/// <summary>
/// Fires that failed and are to be retried, by trigger: a retry is the same run of the same fire. A retry may never come, as where its trigger is deleted or another
/// node has it, so the oldest ones go where there are too many.
/// </summary>
internal sealed class RetriedFires
{
    /// <summary>How many are kept. A retry of one that is not is exclusive, and not compared with fire times.</summary>
    public const int Capacity = 1_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<TriggerKey, LinkedListNode<(TriggerKey Trigger, Occurrence Fire)>> _byTrigger = [];

    /// <summary>The oldest first.</summary>
    private readonly LinkedList<(TriggerKey Trigger, Occurrence Fire)> _all = [];

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _all.Count;
            }
        }
    }

    public bool TryGet(TriggerKey trigger, [NotNullWhen(true)] out Occurrence? fire)
    {
        lock (_gate)
        {
            fire = _byTrigger.TryGetValue(trigger, out var kept) ? kept.Value.Fire : null;
            return fire is not null;
        }
    }

    public void Keep(TriggerKey trigger, Occurrence fire)
    {
        lock (_gate)
        {
            ForgetInside(trigger);
            _byTrigger[trigger] = _all.AddLast((trigger, fire));
            if (_all.Count > Capacity)
            {
                ForgetInside(_all.First!.Value.Trigger);
            }
        }
    }

    public void Forget(TriggerKey trigger)
    {
        lock (_gate)
        {
            ForgetInside(trigger);
        }
    }

    /// <summary>Forgets one fire of a trigger, where that is the one that is kept.</summary>
    public void Forget(TriggerKey trigger, Occurrence fire)
    {
        lock (_gate)
        {
            if (_byTrigger.TryGetValue(trigger, out var kept) && kept.Value.Fire.Run == fire.Run)
            {
                ForgetInside(trigger);
            }
        }
    }

    private void ForgetInside(TriggerKey trigger)
    {
        if (_byTrigger.Remove(trigger, out var kept))
        {
            _all.Remove(kept);
        }
    }
}
