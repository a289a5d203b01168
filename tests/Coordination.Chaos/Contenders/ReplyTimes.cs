using System.Collections.Concurrent;
using Coordination.TestKit.Clocks;

namespace Coordination.Chaos.Contenders;

/// <summary>When the last good reply about each lock came.</summary>
internal sealed class ReplyTimes
{
    private readonly ConcurrentDictionary<string, TimeSpan> _times = new();

    public TimeSpan? Of(string lockName) => _times.TryGetValue(lockName, out var time) ? time : null;

    public void Note(string lockName) => _times[lockName] = MachineClock.Now;

    public void Forget(string lockName) => _times.TryRemove(lockName, out _);
}
