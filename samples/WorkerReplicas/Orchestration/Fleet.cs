using System.Globalization;
using SampleKit.Timeline;
using WorkerReplicas.CommandLine;

namespace WorkerReplicas.Orchestration;

/// <summary>The replicas, by name: A, B, C …, and those that an update puts in their places: A2, B2, C2 …</summary>
internal sealed class Fleet(ReplicaOptions template, Chronicle timeline) : IAsyncDisposable
{
    private readonly Dictionary<string, ReplicaProcess> _replicas = [];

    public ReplicaProcess this[string name] => _replicas[name];

    /// <summary>In the order of the alphabet.</summary>
    public IReadOnlyList<string> Names => [.. _replicas.Keys.Order(StringComparer.Ordinal)];

    public void StartAll(int count)
    {
        for (var i = 0; i < count; i++)
        {
            Start(template with { Name = ((char)('A' + i)).ToString() });
        }
    }

    /// <summary>Waits until every replica but the leader stands by, or has done so.</summary>
    /// <exception cref="TimeoutException">They did not in time.</exception>
    public async Task StandbysAsync(string leader, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var standbys = _replicas.Values.Where(r => r.Name != leader).ToList();
        await Task.WhenAll(standbys.Select(r => r.StandsBy)).WaitAsync(timeout, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        if (standbys.Find(r => !r.StandsBy.IsCompleted) is { } missing)
        {
            throw new TimeoutException($"{missing.Name} did not stand by within {Format.Seconds(timeout)}.");
        }
    }

    /// <summary>Puts a new process in the place of one that was ended.</summary>
    public async Task ReplaceAsync(string name, CancellationToken cancellationToken)
    {
        await RemoveAsync(name, "; another takes its place", cancellationToken);
        Start(template with { Name = name });
    }

    /// <summary>Starts a replica of the next version beside one that is to be replaced by it.</summary>
    public void StartSuccessor(string name)
    {
        var version = (template.Rank ?? 0) + 1;
        Start(template with { Name = string.Create(CultureInfo.InvariantCulture, $"{name}{version}"), Rank = version });
    }

    /// <summary>Waits for the end of a process that was told to stop, and has nothing take its place.</summary>
    public Task RetireAsync(string name, CancellationToken cancellationToken) => RemoveAsync(name, "", cancellationToken);

    /// <summary>Ends all of them, the standbys first: nobody takes over any more.</summary>
    public async Task StopAsync(string? leader)
    {
        foreach (var replica in _replicas.Values.OrderBy(r => r.Name == leader).ToList())
        {
            _replicas.Remove(replica.Name);
            await replica.DisposeAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_replicas.Values.Select(r => r.DisposeAsync().AsTask()));
        _replicas.Clear();
    }

    private async Task RemoveAsync(string name, string remark, CancellationToken cancellationToken)
    {
        var ended = _replicas[name];
        var exitCode = await ended.WaitForExitAsync(cancellationToken);
        _replicas.Remove(name);
        await ended.DisposeAsync();
        timeline.Tell(name, $"its process has ended with code {exitCode}{remark}", Tone.Faint);
    }

    private void Start(ReplicaOptions options)
    {
        var replica = ReplicaProcess.Start(options, timeline);
        _replicas.Add(options.Name, replica);
        timeline.Tell(options.Name, $"starts as process {replica.Id}", Tone.Faint);
    }
}
