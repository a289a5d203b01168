using Coordination.Chaos.Contenders;
using Coordination.Chaos.History;
using Coordination.Chaos.Resource;
using Coordination.Chaos.Workers;
using Coordination.TestKit.Clocks;
using Coordination.TestKit.Network;

namespace Coordination.Chaos.Scenarios;

/// <summary>The workers of a run, each behind a proxy of its own where there is a single server.</summary>
internal sealed class Fleet : IAsyncDisposable
{
    private readonly RunOptions _options;
    private readonly ServerUnderTest _server;
    private readonly GuardedResource _resource;
    private readonly string _folder;
    private readonly HistoryFile _history;
    private readonly Slot[] _slots;

    public Fleet(RunOptions options, ServerUnderTest server, GuardedResource resource, string folder, HistoryFile history)
    {
        (_options, _server, _resource, _folder, _history) = (options, server, resource, folder, history);
        Locks = options.Scenario.Workload switch
        {
            Workload.Schedule => [],
            Workload.Shares => [Capacities.Semaphore, Capacities.ReaderWriter],
            Workload.Partitions => PartitionWorker.LocksOf(options.Scenario.Locks),
            _ => [.. Enumerable.Range(1, options.Scenario.Locks).Select(i => $"lock-{i}")],
        };
        _slots = [.. Enumerable.Range(1, options.Scenario.Workers).Select(i => new Slot($"w{i}", server.Port is { } port ? new ChaosProxy(port) : null))];
    }

    public IReadOnlyList<string> Locks { get; }

    public TimeSpan Lease => _options.Lease;

    public IReadOnlyList<Slot> Slots => _slots;

    /// <summary>What went wrong that no fault explains.</summary>
    public List<string> Failures { get; } = [];

    public Task StartAsync() => Task.WhenAll(_slots.Select(StartAsync));

    public async Task StartAsync(Slot slot)
    {
        var number = ++slot.Starts;
        var process = $"{slot.Name}.{number}";
        var clock = _options.Scenario.WorkersHaveClocks ? await ProcessClock.CreateAsync() : null;
        slot.Process = await WorkerProcess.StartAsync(clock, new WorkerOptions
        {
            Process = process,
            Contender = _options.Contender,
            Server = _server.ConnectionStringOf(process, slot.Proxy?.Port),
            IsOnPostgreSql = _options.Scenario.IsOnPostgreSql,
            IsPooled = _options.Scenario.Server == ServerKind.PostgreSqlPooled,
            IsGuarded = _options.Scenario.IsGuarded,
            Prefix = ScenarioRun.Prefix,
            Workload = _options.Scenario.Workload,
            Locks = Locks,
            Lease = _options.Lease,
            RenewalInterval = _options.Scenario.RenewalInterval * _options.Lease,
            Margin = RunOptions.Margin,
            ClaimWindow = RunOptions.ClaimWindow,
            MaxHold = _options.Scenario.MaxHold * _options.Lease,
            ProgressTimeout = _options.Scenario.ProgressTimeout * _options.Lease,
            ResourcePort = _resource.Port,
            HistoryFile = Path.Combine(_folder, $"{process}.jsonl"),
            Seed = HashCode.Combine(_options.Seed, slot.Name.Length, slot.Name[^1], number),

            // The nodes of a schedule have clocks that differ a little, as those of machines do.
            ClockAhead = _options.Scenario.Workload == Workload.Schedule ? TimeSpan.FromMilliseconds(150 * (slot.Name[^1] - '2')) : TimeSpan.Zero,
        });
    }

    /// <summary>Has connections that workers make from now on lead to another server. Those that stand stay.</summary>
    public void LeadTo(int port)
    {
        foreach (var slot in _slots)
        {
            slot.Proxy!.LeadTo(port);
        }
    }

    public async Task KillAsync(Slot slot)
    {
        NoteEarlyEnd(slot);
        await slot.Process!.KillAsync();
        await EndAsync(slot);
    }

    public async Task TerminateAsync(Slot slot)
    {
        NoteEarlyEnd(slot);
        if (!await slot.Process!.TerminateAsync())
        {
            Fail($"{slot.Process.Options.Process} did not end in order on SIGTERM. {slot.Process.Said}");
        }

        await EndAsync(slot);
    }

    /// <summary>Ends them all in order, with a network that works.</summary>
    public async Task StopAsync()
    {
        foreach (var slot in _slots)
        {
            slot.Proxy?.End();
        }

        await Task.WhenAll(_slots.Select(TerminateAsync));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var slot in _slots)
        {
            if (slot.Process is not null)
            {
                await slot.Process.DisposeAsync();
            }

            if (slot.Proxy is not null)
            {
                await slot.Proxy.DisposeAsync();
            }

            slot.Dispose();
        }
    }

    private async Task EndAsync(Slot slot)
    {
        _history.Write(new HistoryEvent(slot.Process!.KilledAt ?? MachineClock.Now, slot.Process.Options.Process, EventKind.Ended));
        await slot.Process.DisposeAsync();
        slot.Process = null;
    }

    private void NoteEarlyEnd(Slot slot)
    {
        if (slot.Process!.HasExited)
        {
            Fail($"{slot.Process.Options.Process} ended by itself. {slot.Process.Said}");
        }
    }

    private void Fail(string text)
    {
        lock (Failures)
        {
            Failures.Add(text);
        }
    }

    /// <summary>A worker, whichever process it is at the moment.</summary>
    public sealed class Slot(string name, ChaosProxy? proxy) : IDisposable
    {
        public string Name => name;

        public ChaosProxy? Proxy => proxy;

        public WorkerProcess? Process { get; set; }

        public int Starts { get; set; }

        /// <summary>When its wall clock was set last, or its monotonic clock stood still.</summary>
        public TimeSpan ClockStruckAt { get; set; } = TimeSpan.MinValue;

        /// <summary>One fault at a time for the process.</summary>
        public SemaphoreSlim ProcessGate { get; } = new(1);

        /// <summary>One fault at a time for its network.</summary>
        public SemaphoreSlim NetworkGate { get; } = new(1);

        /// <summary>One drain of its node at a time, apart from its process, which may die and stand still meanwhile.</summary>
        public SemaphoreSlim DrainGate { get; } = new(1);

        public void Dispose()
        {
            DrainGate.Dispose();
            ProcessGate.Dispose();
            NetworkGate.Dispose();
        }
    }
}
