using Coordination.Chaos.History;
using Coordination.TestKit.Clocks;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Chaos.Scenarios;

/// <summary>Whoever asks holders to step down: a node of its own, that wants no lock and that no fault strikes.</summary>
internal sealed class Operator : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly ILockInspector _inspector;

    private readonly HistoryFile _history;

    public Operator(ServerUnderTest server, HistoryFile history)
    {
        _history = history;
        var services = new ServiceCollection();
        services.AddCoordination(options => options.NodeName = "operator").UseRedis(server.ConnectionString, options => options.KeyPrefix = ScenarioRun.Prefix);
        _services = services.BuildServiceProvider();
        _inspector = _services.GetRequiredService<ILockInspector>();
    }

    /// <summary>Asks who holds a lock to step down, until it has or the time is up.</summary>
    public async Task AskAsync(string lockName, string? successor, TimeSpan timeout)
    {
        var from = MachineClock.Now;
        try
        {
            await _inspector.StepDownAsync(lockName, successor, timeout: timeout);
            _history.Write(new HistoryEvent(from, "operator", EventKind.Asked, lockName, Length: MachineClock.Now - from));
        }
        catch (LockStoreException away) when (away.IsTransient)
        {
            // It did not reply in time on a busy machine. An operator asks another time.
        }
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
