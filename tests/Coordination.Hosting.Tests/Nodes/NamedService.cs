using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;

namespace Coordination.Hosting.Tests.Nodes;

/// <summary>One of several services of a node: works until it is told and then until it is let go, and notes both.</summary>
internal sealed class NamedService([ServiceKey] string name, NamedWork work) : ExclusiveBackgroundService
{
    protected override async Task ExecuteExclusiveAsync(ExclusiveTerm term, CancellationToken stoppingToken)
    {
        work.Terms[name] = term;
        work.Events.Enqueue($"{name} works");
        var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = stoppingToken.UnsafeRegister(static told => ((TaskCompletionSource)told!).TrySetResult(), told);
        await told.Task;
        work.Events.Enqueue($"{name} told");
        await work.LetGo(name).Task;
        work.Events.Enqueue($"{name} returned");
    }
}

/// <summary>The work of all services of a node.</summary>
internal sealed class NamedWork
{
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _letGo = new();

    public ConcurrentQueue<string> Events { get; } = [];

    /// <summary>The last term of each.</summary>
    public ConcurrentDictionary<string, ExclusiveTerm> Terms { get; } = new();

    public TaskCompletionSource LetGo(string name) => _letGo.GetOrAdd(name, static _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
}
