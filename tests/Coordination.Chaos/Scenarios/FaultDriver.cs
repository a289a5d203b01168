using System.Collections.Concurrent;
using Coordination.Chaos.Faults;
using Coordination.Chaos.Resource;
using Coordination.Chaos.Workers;
using Coordination.TestKit.Clocks;
using Coordination.TestKit.Network;

namespace Coordination.Chaos.Scenarios;

/// <summary>Does what a plan says, and notes what it did.</summary>
internal sealed class FaultDriver(Fleet fleet, ServerUnderTest server, GuardedResource resource, Operator? operatorNode) : IDisposable
{
    /// <summary>How long a worker may take to come to the call in which it is to suspend itself.</summary>
    private static readonly TimeSpan Occasion = TimeSpan.FromSeconds(3);

    /// <summary>
    /// How far apart a suspension and a wall clock that is set are: longer than a lease. A clock that is set back within it hides the suspension, which only
    /// the wall clock shows. That is not promised.
    /// </summary>
    private static readonly TimeSpan ClockRest = TimeSpan.FromSeconds(8);

    private readonly ConcurrentQueue<Disturbance> _happened = new();
    private readonly SemaphoreSlim _serverGate = new(1);

    public IReadOnlyList<Disturbance> Happened => [.. _happened.OrderBy(d => d.From)];

    /// <summary>Starts each fault at its time, and waits until all are over. Ended early, it starts no more of them.</summary>
    public async Task RunAsync(IReadOnlyList<Fault> plan, CancellationToken stopping)
    {
        var begin = MachineClock.Now;
        var underWay = new List<Task>();
        foreach (var fault in plan)
        {
            var wait = begin + fault.At - MachineClock.Now;
            if (wait > TimeSpan.Zero)
            {
                await Task.Delay(wait, stopping).ContinueWith(_ => { }, TaskScheduler.Default);
            }

            if (stopping.IsCancellationRequested)
            {
                break;
            }

            underWay.Add(StrikeAsync(fault));
        }

        await Task.WhenAll(underWay);
    }

    public void Dispose() => _serverGate.Dispose();

    private Task StrikeAsync(Fault fault)
    {
        if (FaultPlan.IsAtServer(fault.Kind))
        {
            return AloneAsync(_serverGate, () => StrikeServerAsync(fault));
        }

        if (fault.Kind == FaultKind.StepDown)
        {
            return AskToStepDownAsync(fault);
        }

        var slot = TargetOf(fault);
        return fault.Kind switch
        {
            FaultKind.SinksThrow or FaultKind.SinksBlock => StrikeSinksAsync(fault, slot),
            FaultKind.Hang => HangAsync(fault, slot),
            FaultKind.Drain => AloneAsync(slot.DrainGate, () => DrainAsync(fault, slot)),

            // Whoever used a lock last may stand still already.
            FaultKind.SuspendMachine when slot.ProcessGate.CurrentCount == 0 => Task.CompletedTask,
            < FaultKind.RestartServer or FaultKind.SuspendInTransaction => AloneAsync(slot.ProcessGate, () => StrikeProcessAsync(fault, slot)),
            _ => AloneAsync(slot.NetworkGate, () => StrikeNetworkAsync(fault, slot)),
        };
    }

    private Fleet.Slot TargetOf(Fault fault)
    {
        if (fault.AtHolder && fleet.Locks.Count > 0 && resource.LastWriterOf(fleet.Locks[fault.Lock]) is { } process)
        {
            return fleet.Slots.First(slot => slot.Name == Checking.RunRecord.WorkerOf(process));
        }

        return fleet.Slots[fault.Worker];
    }

    private async Task StrikeProcessAsync(Fault fault, Fleet.Slot slot)
    {
        var from = MachineClock.Now;
        if (fault.Kind is FaultKind.ShiftClock or FaultKind.SuspendMachine)
        {
            if (slot.ClockStruckAt > from - ClockRest)
            {
                return;
            }

            slot.ClockStruckAt = from + fault.Length;
        }

        switch (fault.Kind)
        {
            case FaultKind.Kill:
                await fleet.KillAsync(slot);
                await Task.Delay(fault.Length);
                await fleet.StartAsync(slot);
                break;
            case FaultKind.Terminate:
                await fleet.TerminateAsync(slot);
                await Task.Delay(fault.Length);
                await fleet.StartAsync(slot);
                break;
            case FaultKind.PauseShort or FaultKind.PauseLong:
                slot.Process!.Stop();
                await Task.Delay(fault.Length);
                slot.Process.Continue();
                break;
            case FaultKind.SuspendMachine:
                slot.Process!.Stop();
                await Task.Delay(fault.Length);
                slot.Process.Clock!.StandStill(MachineClock.Now - from);
                slot.Process.Continue();
                break;
            case FaultKind.SuspendInRelease:
                from = await SuspendAsync(slot, Suspension.InRelease, fault.Length);
                break;
            case FaultKind.SuspendInClaim:
                from = await SuspendAsync(slot, Suspension.InClaim, fault.Length);
                break;
            case FaultKind.SuspendInTransaction:
                from = await SuspendAsync(slot, Suspension.InTransaction, fault.Length);
                break;
            case FaultKind.StarvePool:
                slot.Process!.Tell($"starve {(int)fault.Length.TotalMilliseconds}");
                await Task.Delay(fault.Length);
                break;
            case FaultKind.Deafen:
                slot.Process!.Tell($"deafen {(int)fault.Length.TotalMilliseconds}");
                await Task.Delay(fault.Length);
                break;
            case FaultKind.ShiftClock:
                slot.Process!.Tell($"shift {(int)fault.Size.TotalSeconds}");
                break;
        }

        Note(fault, from, slot.Name);
    }

    /// <summary>Lets a worker stop itself at the next occasion, and go on some time later.</summary>
    /// <returns>When it stopped, if it did.</returns>
    private static async Task<TimeSpan> SuspendAsync(Fleet.Slot slot, Suspension where, TimeSpan length)
    {
        var process = slot.Process!;
        process.Tell($"suspend {where}");
        for (var end = MachineClock.Now + Occasion; !process.IsStopped();)
        {
            if (MachineClock.Now > end)
            {
                process.Tell($"suspend {Suspension.None}");
                break;
            }

            await Task.Delay(5);
        }

        var stopped = MachineClock.Now;
        await Task.Delay(length);
        process.Continue();
        return stopped;
    }

    /// <summary>Lets the work of a worker stand still when it has the lock, now or the next time.</summary>
    private async Task HangAsync(Fault fault, Fleet.Slot slot)
    {
        var from = MachineClock.Now;
        slot.Process!.Tell($"hang {fleet.Locks[fault.Lock]} {(int)fault.Length.TotalMilliseconds}");
        await Task.Delay(fault.Length);
        Note(fault, from, slot.Name);
    }

    /// <summary>Drains a node and resumes it, whatever its process is by then.</summary>
    private async Task DrainAsync(Fault fault, Fleet.Slot slot)
    {
        var from = MachineClock.Now;
        await TellAsync(slot, "drain");
        await Task.Delay(fault.Length);
        await TellAsync(slot, "resume");
        Note(fault, from, slot.Name);
    }

    /// <summary>Tells a worker something between two faults of its process, which then go on.</summary>
    private static Task TellAsync(Fleet.Slot slot, string line) => AloneAsync(slot.ProcessGate, () =>
    {
        slot.Process!.Tell(line);
        return Task.CompletedTask;
    });

    /// <summary>Asks for a worker by name that was not the last to use the lock, and mostly waits for it; or for nobody.</summary>
    private async Task AskToStepDownAsync(Fault fault)
    {
        var from = MachineClock.Now;
        var (name, user) = (fleet.Locks[fault.Lock], resource.LastWriterOf(fleet.Locks[fault.Lock]));
        var others = fleet.Slots.Select(slot => slot.Process!.Options.Process).Where(process => process != user).ToArray();
        await operatorNode!.AskAsync(name, fault.AtHolder ? others[fault.Worker % others.Length] : null, fault.Length);
        Note(fault, from, worker: null);
    }

    private async Task StrikeSinksAsync(Fault fault, Fleet.Slot slot)
    {
        var from = MachineClock.Now;
        var what = fault.Kind == FaultKind.SinksThrow ? SinkFault.Throw : SinkFault.Block;

        // It may die with sinks that block.
        await TellAsync(slot, $"sinks {what} {(int)fault.Length.TotalMilliseconds}");
        await Task.Delay(fault.Length);
        Note(fault, from, slot.Name);
    }

    private async Task StrikeNetworkAsync(Fault fault, Fleet.Slot slot)
    {
        if (slot.Proxy is not { } proxy)
        {
            return;
        }

        var from = MachineClock.Now;
        switch (fault.Kind)
        {
            case FaultKind.Delay:
                proxy.Begin(ProxyMode.Delay, fault.Size);
                await Task.Delay(fault.Length);
                break;
            case FaultKind.DelayThenBlackHole:
                proxy.Begin(ProxyMode.Delay, fault.Size);
                await Task.Delay(fault.Length);
                proxy.Begin(ProxyMode.BlackHole);
                await Task.Delay(1.2 * fleet.Lease);
                break;
            case FaultKind.CutAfterWrite:
                proxy.Begin(ProxyMode.CutAfterWrite);
                for (var end = from + fault.Length; !proxy.HasCut && MachineClock.Now < end;)
                {
                    await Task.Delay(5);
                }

                break;
            default:
                proxy.Begin(Enum.Parse<ProxyMode>(fault.Kind.ToString()));
                await Task.Delay(fault.Length);
                break;
        }

        proxy.End();
        Note(fault, from, slot.Name);
    }

    private async Task StrikeServerAsync(Fault fault)
    {
        var from = MachineClock.Now;
        var name = fleet.Locks.Count > 0 ? fleet.Locks[fault.Lock] : ScheduleWorker.LockName;
        var worker = TargetOf(fault).Name;
        var lost = await server.StrikeAsync(fault, name, worker, fleet);
        Note(fault, from, fault.Kind == FaultKind.TerminateHolder ? worker : null, lost.Loss, lost.IsCertain);
    }

    private void Note(Fault fault, TimeSpan from, string? worker, Loss? loss = null, bool isCertain = false) =>
        _happened.Enqueue(new Disturbance(from, MachineClock.Now, fault.Kind, worker, loss, loss is not null && isCertain));

    private static async Task AloneAsync(SemaphoreSlim gate, Func<Task> strike)
    {
        await gate.WaitAsync();
        try
        {
            await strike();
        }
        finally
        {
            gate.Release();
        }
    }
}
