using Coordination.Chaos.Contenders;
using Coordination.TestKit.Clocks;

namespace Coordination.Chaos.Workers;

/// <summary>Tells a lock that the work under it gets on, and knows how long it was not told.</summary>
internal sealed class ProgressReports(IHolding holding)
{
    private long _last = MachineClock.Now.Ticks;

    /// <summary>How long ago the last report was that came before a loss.</summary>
    public TimeSpan Silence => MachineClock.Now - new TimeSpan(Volatile.Read(ref _last));

    /// <summary>The longest time between two reports.</summary>
    public TimeSpan Longest { get; private set; }

    public void Report()
    {
        var now = MachineClock.Now;
        holding.ReportProgress();
        if (holding.LossReason is null)
        {
            var silence = now - new TimeSpan(_last);
            Longest = silence > Longest ? silence : Longest;
            Volatile.Write(ref _last, now.Ticks);
        }
    }
}
