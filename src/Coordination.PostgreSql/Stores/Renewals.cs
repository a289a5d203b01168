using System.Diagnostics;
using Coordination.PostgreSql.Connections;
using Coordination.PostgreSql.Errors;
using Coordination.Stores;
using Npgsql;

namespace Coordination.PostgreSql.Stores;

/// <summary>
/// Extends leases: one statement for those that columns alone decide, scoped to owner, token and what has not run out; and the machine for the others, such as a claim, a shorter
/// lease, or one that is not held. Blocks its thread.
/// </summary>
/// <param name="statements">Of the schema.</param>
/// <param name="limits">How long it may take.</param>
/// <param name="hasOwnSessions">Whether a single statement needs no transaction around it.</param>
internal sealed class Renewals(Statements statements, TransactionLimits limits, bool hasOwnSessions)
{
    private const int BatchSize = 100;
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(2);

    /// <summary>How long to ask again for rows that somebody else has locked just then: they are not told to be lost, nor is anybody else kept waiting for them.</summary>
    private readonly TimeSpan _patience = limits.Command / 4;

    public IReadOnlyList<RenewalReply> Run(NpgsqlConnection connection, IReadOnlyList<RenewalRequest> requests)
    {
        // Of equal requests one is sent.
        var replies = new Dictionary<RenewalRequest, RenewalReply>();
        foreach (var batch in requests.Distinct().Chunk(BatchSize))
        {
            var rest = RenewByColumns(connection, batch, replies);
            if (rest.Count > 0)
            {
                RenewByMachine(connection, rest, replies);
            }
        }

        return [.. requests.Select(request => replies[request])];
    }

    private List<RenewalRequest> RenewByColumns(NpgsqlConnection connection, RenewalRequest[] batch, Dictionary<RenewalRequest, RenewalReply> replies)
    {
        var exclusive = batch.Where(static request => request is { Share: null, ClaimedEntry: null }).ToArray();
        var shared = batch.Where(static request => request is { Share: not null, ClaimedEntry: null }).ToArray();
        if (exclusive.Length + shared.Length > 0)
        {
            // One statement after the other: of a batch the client sends what follows the first one by way of the thread pool. Each in a transaction of its own where that is a good one.
            var renewed = new List<RenewalRequest>();
            using var warnings = new CommitWarnings(connection);
            if (!hasOwnSessions)
            {
                Execute(connection, Statements.Begin);
            }

            if (exclusive.Length > 0)
            {
                Renew(connection, statements.Renew, exclusive, renewed);
            }

            if (shared.Length > 0)
            {
                Renew(connection, statements.RenewShares, shared, renewed, LockTransaction.Texts([.. shared.Select(static request => ShareText.Of(request.Share!))]));
            }

            if (!hasOwnSessions)
            {
                Execute(connection, Statements.Commit);
            }

            // Only what is committed is renewed.
            warnings.ThrowIfAny();
            renewed.ForEach(request => replies[request] = RenewalReply.Renewed);
        }

        return [.. batch.Where(request => !replies.ContainsKey(request))];
    }

    private void RenewByMachine(NpgsqlConnection connection, List<RenewalRequest> rest, Dictionary<RenewalRequest, RenewalReply> replies)
    {
        var begunAt = Stopwatch.GetTimestamp();
        var pause = FirstPause;
        while (true)
        {
            rest = TryByMachine(connection, rest, replies);
            if (rest.Count == 0)
            {
                return;
            }

            if (Stopwatch.GetElapsedTime(begunAt) > _patience)
            {
                rest.ForEach(request => replies[request] = RenewalReply.Unknown);
                return;
            }

            Thread.Sleep(pause);
            pause *= 2;
        }
    }

    /// <summary>Asks the machine. What somebody else has locked beside a lock's row, such as a share, spoils no renewal of another lock.</summary>
    /// <returns>Those of whose rows somebody else has locked one.</returns>
    private List<RenewalRequest> TryByMachine(NpgsqlConnection connection, List<RenewalRequest> requests, Dictionary<RenewalRequest, RenewalReply> replies)
    {
        try
        {
            return AskMachine(connection, requests, replies);
        }
        catch (PostgresException locked) when (PostgreSqlErrorClassifier.IsOfLockedRow(locked))
        {
            Execute(connection, Statements.Rollback);
            return requests.GroupBy(static request => request.LockName, StringComparer.Ordinal).ToList() is { Count: > 1 } byLock
                ? [.. byLock.SelectMany(ofOne => TryByMachine(connection, [.. ofOne], replies))]
                : requests;
        }
    }

    private List<RenewalRequest> AskMachine(NpgsqlConnection connection, List<RenewalRequest> requests, Dictionary<RenewalRequest, RenewalReply> replies)
    {
        string[] names = [.. requests.Select(static request => request.LockName).Distinct(StringComparer.Ordinal)];
        var transaction = new LockTransaction(connection, statements, limits, isAsync: false) { LockTimeout = TransactionLimits.BriefLockTimeout };
        var rows = Completed(transaction.BeginAsync(names, make: false, withShares: requests.Any(static request => request.Share is not null), skipsLocked: true));
        var states = new Dictionary<string, LockState>(StringComparer.Ordinal);
        var decided = new List<(RenewalRequest Request, RenewalReply Reply)>();
        foreach (var request in requests.Where(request => rows.Has(request.LockName)))
        {
            var state = states.TryGetValue(request.LockName, out var before) ? before : rows[request.LockName].State;
            var change = LockProtocol.Renew(state, request, rows.Now);
            decided.Add((request, change.Reply));
            if (change.Reply == RenewalReply.Renewed)
            {
                states[request.LockName] = change.State;
            }
        }

        foreach (var (name, state) in states)
        {
            transaction.Write(rows[name], KeepFences(rows[name], state));
        }

        if (transaction.HasToCommit)
        {
            Completed(transaction.CommitAsync());
        }
        else
        {
            Execute(connection, Statements.Rollback);
        }

        decided.ForEach(one => replies[one.Request] = one.Reply);
        var left = requests.FindAll(request => !rows.Has(request.LockName));
        if (left.Count == 0)
        {
            return left;
        }

        var existing = Existing(connection, [.. left.Select(static request => request.LockName).Distinct(StringComparer.Ordinal)]);
        foreach (var request in left.Where(request => !existing.Contains(request.LockName)))
        {
            replies[request] = RenewalReply.NotHeld;
        }

        return left.FindAll(request => existing.Contains(request.LockName));
    }

    /// <summary>
    /// A renewal takes away no grant that may guard a transaction, for it would wait for that one's end, and all renewals of the node behind it: what has run out counts for nothing, and
    /// whoever is granted the lock next waits for it.
    /// </summary>
    private static LockState KeepFences(LockRow row, LockState renewed)
    {
        var ended = row.State.Grants.RemoveAll(before => renewed.Grants.Any(grant => grant.FencingToken == before.FencingToken));
        return row.IsGuarded && !ended.IsEmpty ? renewed with { Grants = renewed.Grants.AddRange(ended) } : renewed;
    }

    private HashSet<string> Existing(NpgsqlConnection connection, string[] names)
    {
        using var command = new NpgsqlCommand(statements.Existing, connection) { CommandTimeout = limits.CommandSeconds };
        command.Parameters.Add(LockTransaction.Texts(names));
        using var reader = command.ExecuteReader();
        var existing = new HashSet<string>(StringComparer.Ordinal);
        while (reader.Read())
        {
            existing.Add(reader.GetString(0));
        }

        return existing;
    }

    private void Renew(NpgsqlConnection connection, string text, RenewalRequest[] requests, List<RenewalRequest> renewed, params NpgsqlParameter[] more)
    {
        using var command = new NpgsqlCommand(text, connection) { CommandTimeout = limits.CommandSeconds };
        command.Parameters.Add(LockTransaction.Texts([.. requests.Select(static request => request.LockName)]));
        command.Parameters.Add(LockTransaction.Texts([.. requests.Select(static request => request.Owner.ToString())]));
        command.Parameters.Add(LockTransaction.Numbers([.. requests.Select(static request => request.FencingToken)]));
        command.Parameters.Add(LockTransaction.Numbers([.. requests.Select(static request => (long?)(request.LeaseDuration.Ticks / TimeSpan.TicksPerMicrosecond))]));
        command.Parameters.Add(LockTransaction.Numbers([.. requests.Select(static request => request.Entry)]));
        command.Parameters.AddRange(more);
        command.Parameters.Add(LockTransaction.Text(limits.IdleTimeout));
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            renewed.Add(requests[(int)reader.GetInt64(0) - 1]);
        }
    }

    private void Execute(NpgsqlConnection connection, string text)
    {
        using var command = new NpgsqlCommand(text, connection) { CommandTimeout = limits.CommandSeconds };
        command.ExecuteNonQuery();
    }

    /// <summary>What does not wait has completed.</summary>
    private static T Completed<T>(ValueTask<T> done) => done.IsCompleted ? done.GetAwaiter().GetResult() : done.AsTask().GetAwaiter().GetResult();

    private static void Completed(ValueTask done)
    {
        if (done.IsCompleted)
        {
            done.GetAwaiter().GetResult();
        }
        else
        {
            done.AsTask().GetAwaiter().GetResult();
        }
    }
}
