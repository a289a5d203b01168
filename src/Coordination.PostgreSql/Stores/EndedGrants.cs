using System.Collections.Concurrent;
using Coordination.PostgreSql.Telemetry;
using Coordination.PostgreSql.Transactions;
using Coordination.Stores;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Coordination.PostgreSql.Stores;

/// <summary>
/// Grants that have run out and guard transactions which are under way. Nobody waits for those with the row of the lock in hand: the grant keeps its place, and all else that is asked
/// of the lock goes on. A session that keeps a place for a lease more than its own is ended: it may be paused in the middle of a statement, where no time limit of the server's ends it.
/// </summary>
/// <remarks>
/// A session is ended only under the lock of the row that says that its grant is over, and only while it has the lock of that grant's fence. It is done with the rights of this node's role
/// and not by a function with its owner's: that one would need the owner to be a member of each role whose transactions are guarded, and would lend that to whoever may write
/// these tables, which say what is over.
/// </remarks>
/// <param name="statements">Of the schema.</param>
/// <param name="logger">Is told what was ended, and what cannot be.</param>
internal sealed class EndedGrants(Statements statements, ILogger logger)
{
    private const string Forbidden = "42501";
    private const int Many = 100;

    /// <summary>How long a grant counts as kept: who waits for it asks again after that.</summary>
    private static readonly TimeSpan WhileGuarding = TimeSpan.FromMilliseconds(250);

    /// <summary>However short the lease was: what is not paused gets to its end.</summary>
    private static readonly TimeSpan ShortestGrace = TimeSpan.FromSeconds(5);

    /// <summary>Between two tries to end what keeps one place.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);


    private readonly ConcurrentDictionary<(string LockName, long Token), Tried> _tried = new();

    /// <summary>Finds out which of the grants that have run out guard transactions still, keeps their places, and ends sessions that have had one for too long.</summary>
    /// <param name="transaction">Has locked the rows.</param>
    /// <param name="rows">The rows.</param>
    public async ValueTask KeepAsync(LockTransaction transaction, LockRows rows)
    {
        (LockRow Row, LockGrant Grant)[] ended = [.. rows.All.SelectMany(row => row.RanOut(rows.Now).Select(grant => (row, grant)))];
        if (ended.Length == 0)
        {
            return;
        }

        var (free, all) = (new HashSet<(string, long)>(), new HashSet<(string, long)>());
        string[] names = [.. ended.Select(static one => one.Row.Name).Distinct(StringComparer.Ordinal)];
        long?[] tokens = [.. ended.Select(static one => (long?)one.Grant.FencingToken)];
        await transaction.AskAsync(
            (statements.TakeFences, [LockTransaction.Texts(names), LockTransaction.Numbers(tokens)], reader => free.Add((reader.GetString(0), reader.GetInt64(1)))),
            (statements.LookAtFences, [LockTransaction.Texts(names), LockTransaction.Numbers(tokens)], reader => all.Add((reader.GetString(0), reader.GetInt64(1))))).ConfigureAwait(false);
        foreach (var (row, grant) in ended)
        {
            var fence = (row.Name, grant.FencingToken);
            if (!all.Contains(fence) || free.Contains(fence))
            {
                _tried.TryRemove(fence, out _);
                continue;
            }

            row.Keep(grant, rows.Now, WhileGuarding);
            var over = rows.Now - grant.LastsUntil;
            if (over >= GraceOf(grant) && BeginsTry(fence))
            {
                await EndSessionsAsync(transaction, row.Name, grant.FencingToken, over).ConfigureAwait(false);
            }
        }
    }

    /// <summary>One more lease.</summary>
    private static TimeSpan GraceOf(LockGrant grant)
    {
        var lease = grant.LastsUntil - grant.RenewedAt;
        return lease > ShortestGrace ? lease : ShortestGrace;
    }

    private bool BeginsTry((string, long) fence)
    {
        var now = Environment.TickCount64;
        if (_tried.TryGetValue(fence, out var last) && now - last.At < Pause.TotalMilliseconds)
        {
            return false;
        }

        if (_tried.Count > Many)
        {
            foreach (var old in _tried.Where(tried => now - tried.Value.At > TimeSpan.MillisecondsPerMinute))
            {
                _tried.TryRemove(old);
            }
        }

        _tried[fence] = new Tried(now, last.What);
        return true;
    }

    private async ValueTask EndSessionsAsync(LockTransaction transaction, string lockName, long token, TimeSpan over)
    {
        NpgsqlParameter[] Fence() => [LockTransaction.Text(lockName), LockTransaction.Number(token)];
        await transaction.AskAsync((statements.ShareFence, Fence(), static _ => { })).ConfigureAwait(false);
        var keepers = new List<Keeper>();
        await transaction.AskAsync(
            (statements.Keepers, Fence(), reader => keepers.Add(new Keeper(reader.IsDBNull(0) ? null : reader.GetInt32(0), Text(reader, 1), Text(reader, 2), Text(reader, 3), Text(reader, 4))))).ConfigureAwait(false);
        foreach (var keeper in keepers)
        {
            if (keeper.Pid is not { } pid)
            {
                if (IsNews(lockName, token, $"prepared {keeper.Gid}"))
                {
                    Log.TransactionIsPrepared(logger, lockName, keeper.Gid, token, over);
                }

                continue;
            }

            var isEnded = false;
            try
            {
                await transaction.AskAsync(
                    (Statements.Savepoint, [], null), (statements.EndKeeper, [.. Fence(), new NpgsqlParameter<int> { TypedValue = pid }], reader => isEnded |= reader.GetBoolean(0))).ConfigureAwait(false);
            }
            catch (PostgresException refused) when (refused.SqlState == Forbidden)
            {
                await transaction.AskAsync((Statements.RollbackToSavepoint, [], null)).ConfigureAwait(false);
                if (IsNews(lockName, token, $"forbidden {pid}"))
                {
                    Log.SessionNotEnded(logger, lockName, pid, keeper.Role, keeper.Doing, token, over);
                }
            }

            if (isEnded && IsNews(lockName, token, $"ended {pid}"))
            {
                Log.SessionEnded(logger, pid, keeper.Role, keeper.Doing, token, lockName, over);
            }
        }
    }

    /// <summary>Whether it was not said before.</summary>
    private bool IsNews(string lockName, long token, string what)
    {
        var fence = (lockName, token);
        if (!_tried.TryGetValue(fence, out var tried) || tried.What?.Contains(what, StringComparer.Ordinal) == true)
        {
            return false;
        }

        _tried[fence] = tried with { What = [.. tried.What ?? [], what] };
        return true;
    }

    private static string? Text(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);

    /// <param name="At">When it was tried last, in the ticks of the system.</param>
    /// <param name="What">What was said of it.</param>
    private readonly record struct Tried(long At, string[]? What);

    /// <param name="Pid">The session; null for a transaction that is prepared.</param>
    /// <param name="Role">Whose it is.</param>
    /// <param name="State">What it does; null where this role may not know.</param>
    /// <param name="Wait">What it waits for.</param>
    /// <param name="Gid">The name of the transaction that is prepared.</param>
    private sealed record Keeper(int? Pid, string? Role, string? State, string? Wait, string? Gid)
    {
        public string Doing => Wait is null ? State ?? "unknown" : $"{State}, {Wait}";
    }
}
