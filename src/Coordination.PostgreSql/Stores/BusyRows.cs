using System.Collections.Concurrent;
using System.Diagnostics;

namespace Coordination.PostgreSql.Stores;

/// <summary>
/// The locks whose rows somebody else keeps locked, as far as calls of this node have found out. A call for one of them waits in a transaction, with a connection: of those a part only
/// may be such calls', so that the calls for all other locks find one.
/// </summary>
/// <param name="places">How many of the calls may have a connection at a time.</param>
internal sealed class BusyRows(int places) : IDisposable
{
    private const int Many = 100;

    /// <summary>For how long a row counts as busy that nobody has asked for since.</summary>
    private static readonly TimeSpan Memory = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<string, long> _foundAt = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _places = new(places);

    /// <summary>Whether one of the rows was found busy.</summary>
    public bool HasAny(string[] names) => !_foundAt.IsEmpty && Array.Exists(names, name => _foundAt.TryGetValue(name, out var at) && Stopwatch.GetElapsedTime(at) < Memory);

    /// <summary>A call did not get the rows. Of several nobody knows which it was.</summary>
    public void Found(string[] names)
    {
        if (names is not [var only])
        {
            return;
        }

        if (_foundAt.Count > Many)
        {
            foreach (var old in _foundAt.Where(static found => Stopwatch.GetElapsedTime(found.Value) >= Memory))
            {
                _foundAt.TryRemove(old);
            }
        }

        _foundAt[only] = Stopwatch.GetTimestamp();
    }

    /// <summary>A call got the rows.</summary>
    public void Passed(string[] names)
    {
        if (!_foundAt.IsEmpty)
        {
            Array.ForEach(names, name => _foundAt.TryRemove(name, out _));
        }
    }

    /// <summary>Waits for a place. Whoever has it leaves it by <see cref="Leave"/>.</summary>
    /// <returns>False when there was none in time.</returns>
    public Task<bool> EnterAsync(TimeSpan limit, CancellationToken cancellationToken) => _places.WaitAsync(limit > TimeSpan.Zero ? limit : TimeSpan.Zero, cancellationToken);

    public void Leave()
    {
        try
        {
            _places.Release();
        }
        catch (ObjectDisposedException)
        {
            // The store has ended, and nobody waits.
        }
    }

    public void Dispose() => _places.Dispose();
}
