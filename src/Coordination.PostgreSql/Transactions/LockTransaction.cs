using Coordination.PostgreSql.Connections;
using Coordination.Stores;
using Npgsql;
using NpgsqlTypes;

namespace Coordination.PostgreSql.Transactions;

/// <summary>One transaction over locks: one round trip that locks and reads their rows, and one that writes them, notifies and commits.</summary>
/// <remarks>
/// Renewals run on a thread of their own and block it, so that they need none of the pool: with no <paramref name="lent"/> each of the methods has completed when
/// it returns. Whoever abandons a transaction closes the connection, which rolls it back.
/// </remarks>
/// <param name="connection">Open, and in no transaction.</param>
/// <param name="statements">Of the schema.</param>
/// <param name="limits">How long it may take.</param>
/// <param name="lent">The same connection, to wait without a thread and for no longer than its limit; null to block.</param>
internal sealed class LockTransaction(NpgsqlConnection connection, Statements statements, TransactionLimits limits, LentConnection? lent = null)
{
    private readonly bool _isAsync = lent is not null;
    private readonly List<Step> _writes = [];
    private readonly List<(string Name, LockState After)> _documents = [];

    /// <summary>Whether it waits for no more than a moment for the transactions that an ended grant guards: others who have the lock go on meanwhile.</summary>
    public bool WaitsBriefly { get; private set; }

    /// <summary>How long it waits at a time for a row that somebody else has locked, in milliseconds.</summary>
    public required string LockTimeout { get; init; }

    /// <summary>
    /// Whether to commit also where nothing is written: who is told of a grant that an earlier transaction made relies on it, and that one may have been cut off while it waited for
    /// the synchronous standby. The lock of a row is enough for a commit to wait for the standby, and so for all that was before it.
    /// </summary>
    public bool MustConfirm { get; set; }

    /// <summary>Whether the commit was sent: what fails before that was not applied.</summary>
    public bool IsCommitSent { get; private set; }

    /// <summary>Begins, and locks and reads rows.</summary>
    /// <param name="names">The locks.</param>
    /// <param name="make">Whether to make the rows that are missing.</param>
    /// <param name="withShares">Whether to read the grants of locks that several may hold at once; else they cost another round trip where there are any.</param>
    /// <param name="skipsLocked">Whether to leave out what somebody else has locked, rather than to wait for it.</param>
    public async ValueTask<LockRows> BeginAsync(string[] names, bool make, bool withShares, bool skipsLocked = false)
    {
        var rows = new LockRows();
        var steps = new List<Step> { new(Statements.Begin), new(Statements.Limits, [Text(LockTimeout), Text(limits.IdleTimeout)], static _ => ValueTask.CompletedTask) };
        if (make)
        {
            steps.Add(new(statements.Make, [Texts(names)]));
        }

        steps.Add(new(skipsLocked ? statements.ReadUnlocked : statements.Read, [Texts(names)], reader => ReadLocksAsync(reader, rows, _isAsync)));
        if (withShares)
        {
            steps.Add(new(statements.ReadShares, [Texts(names)], reader => ReadSharesAsync(reader, rows, _isAsync)));
        }

        steps.Add(new(Statements.Clock, [], reader => ReadClockAsync(reader, rows, _isAsync)));
        await RunAsync(steps).ConfigureAwait(false);
        if (!withShares && rows.All.Where(static row => row.IsShared).Select(static row => row.Name).ToArray() is { Length: > 0 } shared)
        {
            return await ReadAgainAsync(rows, shared).ConfigureAwait(false);
        }

        return rows;
    }

    /// <summary>Writes a lock with the commit. Nothing where it is the same.</summary>
    public void Write(LockRow row, LockState after)
    {
        if (ReferenceEquals(row.State, after))
        {
            return;
        }

        var isSame = row.HasColumnsOf(after);
        after = row.AsWritten(after);
        if (isSame)
        {
            // All those go in one statement.
            _documents.Add((row.Name, after));
            return;
        }

        var isShared = after.Capacity != LockCapacity.Exclusive;
        var alive = Tokens(after, static _ => true);
        long[] guarding = [];
        if (row.IsGuarded)
        {
            // A lock that was released and is kept for some time guards nothing any more.
            guarding = Tokens(after, static grant => !grant.IsReleased);
            if (isShared)
            {
                WaitsBriefly = true;
                AddWrite(Statements.LimitLocks, Text(TransactionLimits.BriefLockTimeout));
            }

            AddWrite(statements.DropFences, Text(row.Name), Numbers(guarding));
        }

        if (row.State.Capacity != LockCapacity.Exclusive && row.State.Grants != after.Grants)
        {
            AddWrite(statements.DropShares, Text(row.Name), Numbers(isShared ? alive : []));
        }

        if (isShared)
        {
            // Those that are the same are there already.
            var before = row.State.Capacity == LockCapacity.Exclusive ? [] : row.AsWritten(row.State).Grants.ToHashSet<LockGrant>(ReferenceEqualityComparer.Instance);
            foreach (var grant in after.Grants)
            {
                if (!before.Contains(grant))
                {
                    AddWrite(
                        statements.WriteShare,
                        Text(row.Name),
                        Number(grant.FencingToken),
                        Text(grant.Owner.ToString()),
                        Text(ShareText.Of(grant.Share!)),
                        Moment(grant.RenewedAt),
                        Moment(grant.LastsUntil),
                        Flag(GrantColumns.IsHeld(grant)),
                        Number(GrantColumns.OnlyEntry(grant)));
                }
            }
        }

        var only = !isShared && after.Grants is [{ } first, ..] ? first : null;
        AddWrite(
            statements.Write,
            Text(row.Name),
            Text(LockText.Write(after)),
            Number(after.LastToken),
            Text(only?.Owner.ToString()),
            Number(only?.FencingToken),
            Moment(only?.RenewedAt),
            Moment(only?.LastsUntil),
            Flag(only is not null && GrantColumns.IsHeld(only)),
            Number(only is null ? null : GrantColumns.OnlyEntry(only)),
            Flag(guarding.Length > 0),
            Moment(LockLife.ForgetAfter(after)));
    }

    /// <summary>Tells a node with the commit.</summary>
    /// <param name="channel">The node's channel.</param>
    /// <param name="text">The notification.</param>
    /// <param name="unproven">The same where a synchronous standby may lack what it tells: nothing that anybody begins to work upon.</param>
    /// <param name="byMail">Whether the node looks for it, rather than to listen.</param>
    public void Tell(string channel, string text, string unproven, bool byMail) => AddWrite(byMail ? statements.Mail : Statements.Notify, Text(channel), Text(text), Text(unproven));

    /// <summary>Adds a statement to those that go with the commit.</summary>
    public void AddWrite(string text, params NpgsqlParameter[] parameters) => _writes.Add(new(text, parameters));

    /// <summary>The same, of one that replies with a text, or with none.</summary>
    public void AddWrite(string text, Action<string> reply, params NpgsqlParameter[] parameters) => _writes.Add(new(
        text,
        parameters,
        async reader =>
        {
            if (_isAsync ? await reader.ReadAsync().ConfigureAwait(false) : reader.Read())
            {
                reply(reader.GetString(0));
            }
        }));

    /// <summary>Runs statements at once, between the two round trips.</summary>
    /// <param name="steps">What to run, and what reads its rows; null for nothing.</param>
    public ValueTask AskAsync(params (string Text, NpgsqlParameter[] Parameters, Action<NpgsqlDataReader>? Read)[] steps) => RunAsync(
        [.. steps.Select(step => new Step(step.Text, step.Parameters, step.Read is { } read ? reader => ReadRowsAsync(reader, read, _isAsync) : null))]);

    /// <summary>Whether there is anything to commit.</summary>
    public bool HasToCommit => MustConfirm || _writes.Count > 0 || _documents.Count > 0;

    /// <summary>Writes, notifies and commits.</summary>
    public async ValueTask CommitAsync()
    {
        if (_documents.Count > 0)
        {
            AddWrite(
                statements.WriteDocuments,
                Texts([.. _documents.Select(static one => one.Name)]),
                Texts([.. _documents.Select(static one => LockText.Write(one.After))]),
                Times([.. _documents.Select(static one => Moments.ToColumn(LockLife.ForgetAfter(one.After)))]));
        }

        _writes.Add(new(Statements.Commit));
        IsCommitSent = true;
        using var warnings = new CommitWarnings(connection);
        await RunAsync(_writes).ConfigureAwait(false);
        warnings.ThrowIfAny();
    }

    public static async ValueTask ReadLocksAsync(NpgsqlDataReader reader, LockRows rows, bool isAsync)
    {
        while (isAsync ? await reader.ReadAsync().ConfigureAwait(false) : reader.Read())
        {
            var row = new LockRow
            {
                Name = reader.GetString(0),
                Document = reader.GetString(1),
                LastToken = reader.GetInt64(2),
                IsGuarded = reader.GetBoolean(7),
                IsThere = true,
            };
            if (!reader.IsDBNull(3) && !reader.IsDBNull(4) && !reader.IsDBNull(5) && !reader.IsDBNull(6))
            {
                row.Columns.Add(new GrantColumns(reader.GetInt64(4), reader.GetString(3), Moments.FromColumn(reader.GetInt64(5)), Moments.FromColumn(reader.GetInt64(6))));
            }

            rows.Add(row);
        }
    }

    private static async ValueTask ReadRowsAsync(NpgsqlDataReader reader, Action<NpgsqlDataReader> read, bool isAsync)
    {
        while (isAsync ? await reader.ReadAsync().ConfigureAwait(false) : reader.Read())
        {
            read(reader);
        }
    }

    public static async ValueTask ReadSharesAsync(NpgsqlDataReader reader, LockRows rows, bool isAsync)
    {
        while (isAsync ? await reader.ReadAsync().ConfigureAwait(false) : reader.Read())
        {
            rows.Add(reader.GetString(0), new GrantColumns(reader.GetInt64(1), reader.GetString(2), Moments.FromColumn(reader.GetInt64(3)), Moments.FromColumn(reader.GetInt64(4))));
        }
    }

    public static async ValueTask ReadClockAsync(NpgsqlDataReader reader, LockRows rows, bool isAsync)
    {
        _ = isAsync ? await reader.ReadAsync().ConfigureAwait(false) : reader.Read();
        rows.Now = Moments.FromColumn(reader.GetInt64(0));
        rows.Clock = Moments.ToMicroseconds(Moments.FromColumn(reader.GetInt64(1)));
    }

    public static NpgsqlParameter Texts(string?[] values) => new NpgsqlParameter<string?[]> { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text };

    public static NpgsqlParameter Numbers(long?[] values) => new NpgsqlParameter<long?[]> { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint };

    public static NpgsqlParameter Text(string? value) => new() { Value = (object?)value ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text };

    public static NpgsqlParameter Number(long? value) => new() { Value = (object?)value ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Bigint };

    private static NpgsqlParameter<bool> Flag(bool value) => new NpgsqlParameter<bool> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Boolean };

    private static NpgsqlParameter Moment(DateTimeOffset? value) => new() { Value = value is { } moment ? Moments.ToColumn(moment) : DBNull.Value, NpgsqlDbType = NpgsqlDbType.TimestampTz };

    private static NpgsqlParameter<long[]> Times(long[] values) => new NpgsqlParameter<long[]> { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz };

    private static NpgsqlParameter<long[]> Numbers(long[] values) => new NpgsqlParameter<long[]> { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint };

    private static long[] Tokens(LockState state, Func<LockGrant, bool> which) => [.. state.Grants.Where(which).Select(static grant => grant.FencingToken)];

    /// <summary>
    /// In one round trip; or, where this blocks a thread, in one for each statement: of a batch the client sends what follows the first statement by way of the thread pool.
    /// </summary>
    private async ValueTask RunAsync(List<Step> steps)
    {
        if (lent is null)
        {
            steps.ForEach(Run);
            return;
        }

        await lent.RunAsync(_ => RunBatchAsync(steps), limits.Reply).ConfigureAwait(false);
    }

    private async Task RunBatchAsync(List<Step> steps)
    {
        using var batch = new NpgsqlBatch(connection) { Timeout = limits.CommandSeconds };
        foreach (var step in steps)
        {
            var command = new NpgsqlBatchCommand(step.Text);
            command.Parameters.AddRange(step.Parameters ?? []);
            batch.BatchCommands.Add(command);
        }

        var reader = await batch.ExecuteReaderAsync().ConfigureAwait(false);
        await using (reader.ConfigureAwait(false))
        {
            var isFirst = true;
            foreach (var step in steps)
            {
                if (step.Read is { } read)
                {
                    _ = isFirst || await reader.NextResultAsync().ConfigureAwait(false);
                    isFirst = false;
                    await read(reader).ConfigureAwait(false);
                }
            }

            // What fails later fails here, such as the commit.
            while (await reader.NextResultAsync().ConfigureAwait(false))
            {
            }
        }
    }

    private void Run(Step step)
    {
        using var command = new NpgsqlCommand(step.Text, connection) { CommandTimeout = limits.CommandSeconds };
        command.Parameters.AddRange(step.Parameters ?? []);
        if (step.Read is null)
        {
            command.ExecuteNonQuery();
            return;
        }

        using var reader = command.ExecuteReader();
        step.Read(reader).AsTask().GetAwaiter().GetResult();
    }

    /// <summary>The grants of locks that several may hold, for a request that is for another kind; and the time, anew.</summary>
    private async ValueTask<LockRows> ReadAgainAsync(LockRows rows, string[] shared)
    {
        var again = new LockRows();
        foreach (var row in rows.All)
        {
            var copy = new LockRow { Name = row.Name, Document = row.Document, LastToken = row.LastToken, IsGuarded = row.IsGuarded, IsThere = true };
            copy.Columns.AddRange(row.Columns);
            again.Add(copy);
        }

        await RunAsync(
        [
            new(statements.ReadShares, [Texts(shared)], reader => ReadSharesAsync(reader, again, _isAsync)),
            new(Statements.Clock, [], reader => ReadClockAsync(reader, again, _isAsync)),
        ]).ConfigureAwait(false);
        return again;
    }

    /// <param name="Text">The statement.</param>
    /// <param name="Parameters">Its parameters; null for none.</param>
    /// <param name="Read">Reads its rows; null where it has none, or nobody wants them.</param>
    private readonly record struct Step(string Text, NpgsqlParameter[]? Parameters = null, Func<NpgsqlDataReader, ValueTask>? Read = null);
}
