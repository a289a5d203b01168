using Coordination.Chaos.Contenders;
using Coordination.Chaos.History;
using Coordination.Chaos.Resource;
using Coordination.TestKit.Clocks;

namespace Coordination.Chaos.Workers;

/// <summary>Takes one lock again and again, uses the resource under it, and writes down what it believes.</summary>
internal sealed class LockLoop(string lockName, IContender contender, WorkerOptions options, WorkerSignals signals, HistoryFile history, Attempts attempts, GuardedTable? guarded, CancellationToken stopping)
{
    private static readonly TimeSpan Work = TimeSpan.FromMilliseconds(20);
    private readonly LockCapacityKind _kind = Capacities.Of(lockName).Kind;
    private readonly Random _random = new(HashCode.Combine(options.Seed, lockName.Length, lockName[^1]));

    public async Task RunAsync()
    {
        using var resource = await ResourceClient.ConnectAsync(options.ResourcePort, options.Process);
        while (!stopping.IsCancellationRequested)
        {
            await Task.Delay(_random.Next(30), CancellationToken.None);
            var attempt = attempts.Next();
            var share = Choose();
            if (await AcquireAsync(attempt, share, reader: 0, token => contender.AcquireAsync(lockName, share, token)) is { } holding)
            {
                using (holding)
                {
                    await HoldAsync(holding, attempt, share, resource);
                }
            }
        }
    }

    /// <summary>Mostly readers, with writers enough to stand in their way.</summary>
    private LockShareKind? Choose() => _kind switch
    {
        LockCapacityKind.Exclusive => null,
        LockCapacityKind.Semaphore => LockShareKind.Permit,
        _ => _random.NextDouble() switch
        {
            < 0.5 => LockShareKind.Read,
            < 0.8 => LockShareKind.UpgradeableRead,
            _ => LockShareKind.Write,
        },
    };

    private async Task<IHolding?> AcquireAsync(long attempt, LockShareKind? share, long reader, Func<CancellationToken, Task<IHolding?>> acquire)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        if (_random.NextDouble() < 0.1)
        {
            patience.CancelAfter(_random.Next((int)(options.Lease.TotalMilliseconds * 0.7)));
        }

        // Said before the lock can know of it.
        using var givingUp = new CancellationTokenSource();
        using var leaving = patience.Token.Register(() =>
        {
            history.Write(EventKind.GivingUp, lockName, attempt);
            givingUp.Cancel();
        });
        QueueNotingStore.Begin(attempt);
        history.Write(EventKind.Waiting, lockName, attempt, share, reader);
        try
        {
            var holding = await acquire(givingUp.Token);
            if (holding is null)
            {
                history.Write(EventKind.GaveUp, lockName, attempt, detail: "refused");
                return null;
            }

            history.Write(EventKind.Granted, lockName, attempt, share, reader, holding.Token, holding.Permit);
            return holding;
        }
        catch (OperationCanceledException)
        {
            history.Write(EventKind.GaveUp, lockName, attempt);
        }
        catch (Exception e)
        {
            // Each kind of lock has errors of its own for a server that is away. Another attempt follows, as in a worker's loop.
            history.Write(EventKind.GaveUp, lockName, attempt, detail: $"{e.GetType().Name}: {e.Message}");
            await Task.Delay(100, CancellationToken.None);
        }

        return null;
    }

    private async Task HoldAsync(IHolding holding, long attempt, LockShareKind? share, ResourceClient resource)
    {
        var progress = new ProgressReports(holding);
        using var belief = new Belief(() => history.WriteEnd(EventKind.Lost, lockName, attempt, progress.Silence, holding.LossReason), holding.Lost);
        var works = HowOften();
        for (var i = 0; ; i++)
        {
            // As user code does: it looks, works and writes, and what befalls it in between it learns at the next look.
            progress.Report();
            await HangIfToldAsync(attempt);
            await resource.WriteAsync(lockName, attempt, holding.Token);
            await (guarded?.WriteAsync(holding, lockName, attempt) ?? Task.CompletedTask);
            if (i == works || stopping.IsCancellationRequested || !belief.Stands || holding.StepDownRequested.IsCancellationRequested)
            {
                break;
            }

            if (share == LockShareKind.UpgradeableRead && i == 0 && _random.NextDouble() < 0.7)
            {
                await UpgradeAsync(holding, attempt, resource);
            }

            if (share is null && i == 1 && _random.NextDouble() < 0.2)
            {
                await ReenterAsync(holding, attempt);
            }

            await Task.Delay(Work, CancellationToken.None);
        }

        progress.Report();
        var successor = holding.Successor;
        if (belief.End())
        {
            history.WriteEnd(EventKind.Releasing, lockName, attempt, progress.Longest, successor: successor);
        }
        else
        {
            // What it gives up by itself the next one may have at once. That a loss is told in time shows when it does not.
            await Task.Delay(2 * options.Margin, CancellationToken.None);
        }

        await ReleaseAsync(holding, attempt, successor);
    }

    /// <summary>The work stands still, and whatever befalls its lock meanwhile.</summary>
    private async Task HangIfToldAsync(long attempt)
    {
        if (signals.TakeHang(lockName) is { } length)
        {
            history.Write(new HistoryEvent(MachineClock.Now, options.Process, EventKind.Hanging, lockName, attempt, Length: length));
            await Task.Delay(length, stopping).ContinueWith(_ => { }, TaskScheduler.Default);
        }
    }

    private async Task UpgradeAsync(IHolding reading, long reader, ResourceClient resource)
    {
        var attempt = attempts.Next();
        if (await AcquireAsync(attempt, LockShareKind.Upgrade, reader, reading.UpgradeAsync) is { } holding)
        {
            using (holding)
            {
                await HoldAsync(holding, attempt, LockShareKind.Upgrade, resource);
            }
        }
    }

    private async Task ReenterAsync(IHolding holding, long attempt)
    {
        try
        {
            if (await holding.ReenterAsync() is { } token)
            {
                history.Write(EventKind.Reentered, lockName, attempt, token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or LockStoreException)
        {
            // Lost meanwhile, or the server is away: the lease itself says what that means for it.
        }
    }

    private async Task ReleaseAsync(IHolding holding, long attempt, string? successor)
    {
        string result;
        try
        {
            result = await (successor is null ? holding.ReleaseAsync() : holding.ReleaseToAsync(successor));
        }
        catch (Exception e)
        {
            // Each kind of lock has errors of its own for a server that is away, and for a lock that is lost.
            result = $"{e.GetType().Name}: {e.Message}";
        }

        history.Write(EventKind.Released, lockName, attempt, detail: result);
    }

    /// <summary>Mostly short, so that there are many handovers; sometimes long, up to more than the lease. What several hold is as long in use while each has it shorter.</summary>
    private int HowOften() => _random.NextDouble() < (_kind == LockCapacityKind.Exclusive ? 0.82 : 0.92) ? _random.Next(4) : (int)(options.MaxHold * _random.NextDouble() / Work);
}
