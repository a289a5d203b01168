using Coordination.PostgreSql.Connections;
using Coordination.PostgreSql.Errors;
using Coordination.PostgreSql.Transactions;
using Coordination.Stores;
using Npgsql;

namespace Coordination.PostgreSql.Stores;

/// <summary>
/// Extends leases: one statement for those that columns alone decide, scoped to owner, token and what has not run out; and the machine for the others, such as a claim, a shorter
/// lease, or one that is not held. Blocks its thread.
/// </summary>
/// <param name="statements">Of the schema.</param>
/// <param name="limits">How long it may take.</param>
/// <param name="keepsSessions">Whether a session may be given a limit that outlasts its transactions.</param>
internal sealed class Renewals(Statements statements, TransactionLimits limits, bool keepsSessions)
{
    public const int BatchSize = 100;

    /// <summary>Whether sessions have defaults under which a statement that is a transaction of its own fails: then each says in a transaction what it needs.</summary>
    private bool _needsTransaction;

    /// <summary>Whether the last statement got no reply, as where somebody has locked the whole table: then the next ones limit their waits, lest a session waits there for each of them.</summary>
    private bool _needsLimits;
    private NpgsqlConnection? _limited;

    /// <summary>Renews what columns decide, and asks the machine for the rest.</summary>
    /// <param name="connection">Open, and in no transaction.</param>
    /// <param name="requests">No two that are equal.</param>
    /// <param name="replies">Is given the reply to each, but for those of whose rows somebody else has locked one.</param>
    public void Run(NpgsqlConnection connection, IReadOnlyList<RenewalRequest> requests, RenewalReplies replies)
    {
        LimitSession(connection);
        foreach (var batch in requests.Chunk(BatchSize))
        {
            RenewByColumns(connection, [.. batch.Where(static request => request is { Share: null, ClaimedEntry: null })], replies);
            RenewByColumns(connection, [.. batch.Where(static request => request is { Share: not null, ClaimedEntry: null })], replies);
            RunByMachine(connection, batch, replies);
        }
    }

    /// <summary>Asks the machine for those that have no reply yet.</summary>
    /// <param name="connection">Open, and in no transaction.</param>
    /// <param name="requests">No two that are equal.</param>
    /// <param name="replies">Is given the reply to each, but for those of whose rows somebody else has locked one.</param>
    /// <param name="turn">The one lock that is waited for, for a moment: many others who ask for it one after another leave its row at no time, and it would never be had by looking. Null for none.</param>
    public void RunByMachine(NpgsqlConnection connection, IReadOnlyList<RenewalRequest> requests, RenewalReplies replies, RenewalTurn? turn = null)
    {
        if (turn is not null)
        {
            TryByMachine(connection, [.. requests.Where(request => request.LockName == turn.LockName)], replies, turn);
            requests = [.. requests.Where(request => request.LockName != turn.LockName)];
        }

        foreach (var batch in requests.Where(request => !replies.Has(request)).Chunk(BatchSize))
        {
            TryByMachine(connection, batch, replies, turn: null);
        }
    }

    /// <summary>Once for each connection.</summary>
    private void LimitSession(NpgsqlConnection connection)
    {
        if (keepsSessions && !ReferenceEquals(connection, _limited))
        {
            Execute(connection, Statements.LimitSession, LockTransaction.Text(limits.LockTimeout));
            _limited = connection;
        }
    }

    private void RenewByColumns(NpgsqlConnection connection, RenewalRequest[] requests, RenewalReplies replies)
    {
        if (requests.Length == 0)
        {
            return;
        }

        var inTransaction = _needsTransaction || _needsLimits;
        using var warnings = new CommitWarnings(connection);
        List<RenewalRequest> renewed;
        try
        {
            renewed = Renew(connection, requests, inTransaction);
        }
        catch (PostgresException refused) when (!inTransaction && PostgreSqlErrorClassifier.IsOfDefaults(refused))
        {
            // Nothing of it was applied.
            renewed = Renew(connection, requests, inTransaction: true);
            _needsTransaction = true;
        }
        catch (NpgsqlException late) when (!keepsSessions && late.InnerException is TimeoutException)
        {
            _needsLimits = true;
            throw;
        }

        // Only what is committed is renewed.
        _needsLimits = false;
        warnings.ThrowIfAny();
        renewed.ForEach(request => replies.Add(request, RenewalReply.Renewed));
    }

    /// <summary>Asks the machine. What somebody else has locked beside a lock's row, such as a share, spoils no renewal of another lock.</summary>
    private void TryByMachine(NpgsqlConnection connection, RenewalRequest[] requests, RenewalReplies replies, RenewalTurn? turn)
    {
        try
        {
            AskMachine(connection, requests, replies, turn);
        }
        catch (PostgresException locked) when (PostgreSqlErrorClassifier.IsOfLockedRow(locked))
        {
            Execute(connection, Statements.Rollback);
            if (requests.GroupBy(static request => request.LockName, StringComparer.Ordinal).ToList() is { Count: > 1 } byLock)
            {
                byLock.ForEach(ofOne => TryByMachine(connection, [.. ofOne], replies, turn: null));
            }
        }
    }

    private void AskMachine(NpgsqlConnection connection, RenewalRequest[] requests, RenewalReplies replies, RenewalTurn? turn)
    {
        string[] names = [.. requests.Select(static request => request.LockName).Distinct(StringComparer.Ordinal)];
        var transaction = new LockTransaction(connection, statements, limits) { LockTimeout = turn?.LockTimeout ?? TransactionLimits.BriefLockTimeout };
        var rows = Completed(transaction.BeginAsync(names, make: false, withShares: requests.Any(static request => request.Share is not null), skipsLocked: turn is null));
        var states = new Dictionary<string, LockState>(StringComparer.Ordinal);
        var decided = new List<(RenewalRequest Request, RenewalReply Reply)>();
        foreach (var request in requests.Where(request => rows.Has(request.LockName)))
        {
            LockChange<RenewalReply> change;
            try
            {
                var state = states.TryGetValue(request.LockName, out var before) ? before : rows[request.LockName].State;
                change = LockProtocol.Renew(state, request, rows.Now);
            }
            catch (Exception fault)
            {
                // Of what something else wrote into the row of one, nothing spoils another.
                replies.Fail(request, fault);
                continue;
            }

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

        var left = Array.FindAll(requests, request => !rows.Has(request.LockName));
        if (left.Length > 0)
        {
            var existing = Existing(connection, [.. left.Select(static request => request.LockName).Distinct(StringComparer.Ordinal)]);
            decided.AddRange(left.Where(request => !existing.Contains(request.LockName)).Select(static request => (request, RenewalReply.NotHeld)));
        }

        if (transaction.HasToCommit)
        {
            Completed(transaction.CommitAsync());
        }
        else
        {
            Execute(connection, Statements.Rollback);
        }

        decided.ForEach(one => replies.Add(one.Request, one.Reply));
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

    /// <summary>In one statement, which is a transaction of its own where it may be.</summary>
    private List<RenewalRequest> Renew(NpgsqlConnection connection, RenewalRequest[] requests, bool inTransaction)
    {
        if (inTransaction)
        {
            Execute(connection, Statements.Begin);
            Execute(connection, Statements.LimitLocks, LockTransaction.Text(limits.LockTimeout));
        }

        var isShared = requests[0].Share is not null;
        using var command = new NpgsqlCommand(isShared ? statements.RenewShares : statements.Renew, connection) { CommandTimeout = limits.CommandSeconds };
        command.Parameters.Add(LockTransaction.Texts([.. requests.Select(static request => request.LockName)]));
        command.Parameters.Add(LockTransaction.Texts([.. requests.Select(static request => request.Owner.ToString())]));
        command.Parameters.Add(LockTransaction.Numbers([.. requests.Select(static request => request.FencingToken)]));
        command.Parameters.Add(LockTransaction.Numbers([.. requests.Select(static request => (long?)(request.LeaseDuration.Ticks / TimeSpan.TicksPerMicrosecond))]));
        command.Parameters.Add(LockTransaction.Numbers([.. requests.Select(static request => request.Entry)]));
        if (isShared)
        {
            command.Parameters.Add(LockTransaction.Texts([.. requests.Select(static request => ShareText.Of(request.Share!))]));
        }

        command.Parameters.Add(LockTransaction.Text(limits.IdleTimeout));
        var renewed = new List<RenewalRequest>();
        using (var reader = command.ExecuteReader())
        {
            while (reader.Read())
            {
                renewed.Add(requests[(int)reader.GetInt64(0) - 1]);
            }
        }

        if (inTransaction)
        {
            Execute(connection, Statements.Commit);
        }

        return renewed;
    }

    private void Execute(NpgsqlConnection connection, string text, params NpgsqlParameter[] parameters)
    {
        using var command = new NpgsqlCommand(text, connection) { CommandTimeout = limits.CommandSeconds };
        command.Parameters.AddRange(parameters);
        command.ExecuteNonQuery();
    }

    /// <summary>What does not wait has completed.</summary>
    public static T Completed<T>(ValueTask<T> done) => done.IsCompleted ? done.GetAwaiter().GetResult() : done.AsTask().GetAwaiter().GetResult();

    /// <inheritdoc cref="Completed{T}"/>
    public static void Completed(ValueTask done)
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
