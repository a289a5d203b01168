using Coordination.Chaos.Workers;
using Npgsql;

namespace Coordination.Chaos.Contenders;

/// <summary>
/// Broken: a row with an owner and an end. Its renewal looks for the lock's name and for nothing else, so a holder that was away for a lease renews the next one's row, and both believe
/// until one of them ends. An error of a renewal changes nothing of what the holder believes.
/// </summary>
internal sealed class RenewalOfAnyonesContender(WorkerOptions options) : IContender
{
    public const string Table = "chaos_peers";

    private const string Take = $"""
        INSERT INTO {Table} (name, owner, ends) VALUES ($1, $2, clock_timestamp() + $3)
        ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, ends = excluded.ends WHERE {Table}.ends < clock_timestamp()
        """;

    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(50);
    private readonly NpgsqlDataSource _database = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(options.Server) { MaxPoolSize = 10, Timeout = 2, CommandTimeout = 1, CancellationTimeout = -1 });

    public async Task<IHolding?> AcquireAsync(string lockName, LockShareKind? share, CancellationToken cancellationToken)
    {
        var owner = Guid.NewGuid().ToString("N");
        while (await ExecuteAsync(Take, cancellationToken, lockName, owner, options.Lease) == 0)
        {
            await Task.Delay(Retry, cancellationToken);
        }

        return new Holding(this, lockName, owner, options.RenewalInterval);
    }

    private TimeSpan Lease => options.Lease;

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    private async Task<int> ExecuteAsync(string text, CancellationToken cancellationToken, params object[] values)
    {
        await using var command = _database.CreateCommand(text);
        foreach (var value in values)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }

        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private sealed class Holding : IHolding
    {
        private readonly CancellationTokenSource _lost = new();
        private readonly CancellationTokenSource _ended = new();
        private readonly RenewalOfAnyonesContender _contender;
        private readonly string _lockName;
        private readonly string _owner;
        private readonly Task _renewals;

        public Holding(RenewalOfAnyonesContender contender, string lockName, string owner, TimeSpan interval)
        {
            (_contender, _lockName, _owner) = (contender, lockName, owner);
            _renewals = RenewAsync(interval);
        }

        public long? Token => null;

        public CancellationToken Lost => _lost.Token;

        public async Task<string> ReleaseAsync()
        {
            await _ended.CancelAsync();
            await _renewals;
            return await _contender.ExecuteAsync($"DELETE FROM {Table} WHERE name = $1 AND owner = $2", CancellationToken.None, _lockName, _owner) == 1 ? "released" : "not held";
        }

        public void Dispose()
        {
            _lost.Dispose();
            _ended.Dispose();
        }

        private async Task RenewAsync(TimeSpan interval)
        {
            while (true)
            {
                try
                {
                    await Task.Delay(interval, _ended.Token);
                    if (await _contender.ExecuteAsync($"UPDATE {Table} SET ends = clock_timestamp() + $2 WHERE name = $1", _ended.Token, _lockName, _contender.Lease) == 0)
                    {
                        await _lost.CancelAsync();
                        return;
                    }
                }
                catch (OperationCanceledException)
                {
                    return;
                }
                catch (Exception e) when (e is NpgsqlException or TimeoutException)
                {
                    // It may be the leader still, for all it knows.
                }
            }
        }
    }
}
