using Coordination.PostgreSql.Errors;

namespace Coordination.PostgreSql.Transactions;

/// <summary>The statements of the store, with the name of its schema.</summary>
/// <remarks>
/// Each transaction names its isolation level, so that a default of the server, of the database or of the role, under which transactions fail with 40001, changes nothing; and
/// waits for its commit to be on disk, and on the synchronous standby where there is one, for a grant that is lost is granted again.
/// </remarks>
internal sealed class Statements(string schema)
{
    private const string Told = "CASE WHEN pg_catalog.current_setting('synchronous_standby_names') = '' THEN $2 ELSE $3 END";
    private const string Row = "name, document, last_token, owner, token, renewed_at, lasts_until, is_guarded";

    public const string Begin = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";

    /// <summary>Each statement sees what is committed then. On a standby as well, which begins none that may write.</summary>
    public const string BeginExamination = "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY";

    public const string BeginLook = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

    /// <summary>
    /// For the rest of a transaction. No limit of the role's ends a statement: one that ends a commit in its wait for the synchronous standby would be told as a success, and what waits for a
    /// row has a limit of its own. And the warning by which the server says it is to be heard, whatever the role has silenced.
    /// </summary>
    public const string Limits = """
        SELECT pg_catalog.set_config('lock_timeout', $1, true), pg_catalog.set_config('idle_in_transaction_session_timeout', $2, true),
            pg_catalog.set_config('statement_timeout', '0', true), pg_catalog.set_config('synchronous_commit', 'on', true), pg_catalog.set_config('client_min_messages', 'warning', true)
        """;

    /// <summary>
    /// The same for what makes no grant. Whoever has locked a whole table, as VACUUM FULL does, would else keep a session waiting for as long, also of a client that is gone: the client cancels
    /// what it gives up, but not where it is cut off, and the server does not see that it is.
    /// </summary>
    public const string TimeLimits = """
        SELECT pg_catalog.set_config('lock_timeout', $1, true), pg_catalog.set_config('idle_in_transaction_session_timeout', $2, true), pg_catalog.set_config('statement_timeout', $3, true)
        """;

    /// <summary>
    /// For the rest of a session, which is the store's: what locks a table does so before a statement runs, and so before it can set a limit for itself.
    /// </summary>
    public const string LimitSession = "SELECT pg_catalog.set_config('lock_timeout', $1, false), pg_catalog.set_config('statement_timeout', '0', false)";

    public const string LimitLocks = "SELECT pg_catalog.set_config('lock_timeout', $1, true)";

    public const string Commit = "COMMIT";

    public const string Rollback = "ROLLBACK";

    /// <summary>Fails the transaction that it is in. What it says is in the server's log.</summary>
    public const string Fail = $"""
        DO $$ BEGIN RAISE EXCEPTION 'This transaction was to be guarded by a lease and is not, so it cannot commit.' USING ERRCODE = '{GuardErrors.IsRefused}'; END $$
        """;

    /// <summary>After the locks of rows, in a statement of its own: in theirs it would be read before they are got. And which server's clock it is.</summary>
    public const string Clock = "SELECT pg_catalog.clock_timestamp(), pg_catalog.pg_postmaster_start_time()";

    /// <summary>
    /// With a commit, and so sent also where that is cancelled in its wait for the synchronous standby. Where there is one, $3 is sent: it lets the node ask, which waits for the standby,
    /// and believe nothing. The setting is read as late as can be, next to the commit.
    /// </summary>
    public const string Notify = $"SELECT pg_catalog.pg_notify($1, {Told})";

    /// <summary>Names in one order, so that two that make several wait for each other in one order.</summary>
    public string Make { get; } = With(schema, """INSERT INTO "coordination".locks (name) SELECT n FROM unnest($1::text[]) AS n ORDER BY n COLLATE "C" ON CONFLICT DO NOTHING""");

    public string Read { get; } = With(schema, $"""SELECT {Row} FROM "coordination".locks WHERE name = ANY($1) ORDER BY name FOR NO KEY UPDATE""");

    public string ReadUnlocked { get; } = With(schema, $"""SELECT {Row} FROM "coordination".locks WHERE name = ANY($1) ORDER BY name FOR NO KEY UPDATE SKIP LOCKED""");

    public string Look { get; } = With(schema, $"""SELECT {Row} FROM "coordination".locks WHERE name = ANY($1)""");

    /// <summary>Renewals skip what is locked, so they wait for nobody who waits here.</summary>
    public string ReadShares { get; } = With(schema, """SELECT name, token, owner, renewed_at, lasts_until FROM "coordination".shares WHERE name = ANY($1) ORDER BY name, token FOR NO KEY UPDATE""");

    public string LookAtShares { get; } = With(schema, """SELECT name, token, owner, renewed_at, lasts_until FROM "coordination".shares WHERE name = ANY($1)""");

    public string Existing { get; } = With(schema, """SELECT name FROM "coordination".locks WHERE name = ANY($1)""");

    public string Write { get; } = With(schema, """
        UPDATE "coordination".locks
        SET document = $2, last_token = $3, owner = $4, token = $5, renewed_at = $6, lasts_until = $7, is_held = $8, only_entry = $9, is_guarded = $10, forget_after = $11
        WHERE name = $1
        """);

    /// <summary>Of locks of which nothing else changes, such as the queue of one whose waiter has asked again.</summary>
    public string WriteDocuments { get; } = With(schema, """
        UPDATE "coordination".locks l SET document = a.document, forget_after = a.forget_after
        FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS a(name, document, forget_after) WHERE l.name = a.name
        """);

    public string DropShares { get; } = With(schema, """DELETE FROM "coordination".shares WHERE name = $1 AND token <> ALL($2)""");

    public string WriteShare { get; } = With(schema, """
        INSERT INTO "coordination".shares (name, token, owner, share, renewed_at, lasts_until, is_held, only_entry) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (name, token) DO UPDATE SET
            owner = excluded.owner, share = excluded.share, renewed_at = excluded.renewed_at, lasts_until = excluded.lasts_until, is_held = excluded.is_held, only_entry = excluded.only_entry
        """);

    /// <summary>Waits for the transactions that the ended grants guard.</summary>
    public string DropFences { get; } = With(schema, """DELETE FROM "coordination".fences WHERE name = $1 AND token <> ALL($2)""");

    /// <summary>Those that guard no transaction which is under way, and from here on none: who comes later waits for this transaction, and then finds that the grant has ended.</summary>
    public string TakeFences { get; } = With(schema, """SELECT name, token FROM "coordination".fences WHERE name = ANY($1) AND token = ANY($2) FOR UPDATE SKIP LOCKED""");

    public string LookAtFences { get; } = With(schema, """SELECT name, token FROM "coordination".fences WHERE name = ANY($1) AND token = ANY($2)""");

    /// <summary>Replies with what the store is known by, which <c>guard</c> compares.</summary>
    public string MakeFence { get; } = With(schema, """
        WITH made AS (INSERT INTO "coordination".fences (name, token) VALUES ($1, $2) ON CONFLICT DO NOTHING)
        SELECT v.identity || '@' || pg_catalog.current_database() FROM "coordination".version v
        """);

    public string MarkGuarded { get; } = With(schema, """UPDATE "coordination".locks SET is_guarded = true WHERE name = $1 AND NOT is_guarded""");

    public string Guard { get; } = With(schema, """SELECT "coordination".guard($1, $2, $3, $4)""");

    /// <summary>Extends what is its owner's by the columns alone; what this leaves out is for the machine to judge.</summary>
    public string Renew { get; } = With(schema, """
        WITH settings AS MATERIALIZED (
            SELECT pg_catalog.set_config('synchronous_commit', 'on', true), pg_catalog.set_config('statement_timeout', '0', true), pg_catalog.set_config('client_min_messages', 'warning', true),
                pg_catalog.set_config('idle_in_transaction_session_timeout', $6, true)),
        locked AS MATERIALIZED (
            SELECT a.place, l.name, c.now, c.now + a.lease * interval '1 microsecond' AS until
            FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[]) WITH ORDINALITY AS a(name, owner, token, lease, entry, place)
            CROSS JOIN settings
            CROSS JOIN LATERAL (SELECT pg_catalog.clock_timestamp() AS now) AS c
            JOIN "coordination".locks l ON l.name = a.name
            WHERE l.owner = a.owner AND l.token = coalesce(a.token, l.token) AND l.is_held AND l.renewed_at <= c.now AND l.lasts_until > c.now
                AND (l.lasts_until <= c.now + a.lease * interval '1 microsecond' OR l.only_entry = a.entry)
            FOR NO KEY UPDATE OF l SKIP LOCKED)
        UPDATE "coordination".locks l SET renewed_at = locked.now, lasts_until = locked.until FROM locked WHERE l.name = locked.name RETURNING locked.place
        """);

    public string RenewShares { get; } = With(schema, """
        WITH settings AS MATERIALIZED (
            SELECT pg_catalog.set_config('synchronous_commit', 'on', true), pg_catalog.set_config('statement_timeout', '0', true), pg_catalog.set_config('client_min_messages', 'warning', true),
                pg_catalog.set_config('idle_in_transaction_session_timeout', $7, true)),
        locked AS MATERIALIZED (
            SELECT a.place, s.name, s.token, c.now, c.now + a.lease * interval '1 microsecond' AS until
            FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[]) WITH ORDINALITY AS a(name, owner, token, lease, entry, share, place)
            CROSS JOIN settings
            CROSS JOIN LATERAL (SELECT pg_catalog.clock_timestamp() AS now) AS c
            JOIN "coordination".shares s ON s.name = a.name AND s.token = coalesce(a.token, s.token)
            WHERE s.owner = a.owner AND s.share = a.share AND s.is_held AND s.renewed_at <= c.now AND s.lasts_until > c.now
                AND (s.lasts_until <= c.now + a.lease * interval '1 microsecond' OR s.only_entry = a.entry)
            FOR NO KEY UPDATE OF s SKIP LOCKED)
        UPDATE "coordination".shares s SET renewed_at = locked.now, lasts_until = locked.until FROM locked WHERE s.name = locked.name AND s.token = locked.token RETURNING locked.place
        """);

    /// <summary>For nodes that nobody can notify, which look for it. It is seen, too, when its commit was cancelled in its wait.</summary>
    public string Mail { get; } = With(schema, $"""INSERT INTO "coordination".mail (channel, text) VALUES ($1, {Told})""");

    public string TakeMail { get; } = With(schema, """
        WITH taken AS (DELETE FROM "coordination".mail WHERE channel = $1 RETURNING id, text) SELECT text FROM taken ORDER BY id
        """);

    /// <summary>Of nodes that look for it no more.</summary>
    public string DropMail { get; } = With(schema, """DELETE FROM "coordination".mail WHERE sent_at < clock_timestamp() - interval '10 minutes'""");

    public string List { get; } = With(schema, """
        SELECT l.name FROM "coordination".locks l
        WHERE l.name > $1
            AND (l.lasts_until > clock_timestamp() OR EXISTS (SELECT FROM "coordination".shares s WHERE s.name = l.name AND s.lasts_until > clock_timestamp()))
        ORDER BY l.name LIMIT $2
        """);

    /// <summary>Nobody waits for it, and it waits for nobody.</summary>
    public string Ping { get; } = With(schema, """
        UPDATE "coordination".version SET checked_at = clock_timestamp() WHERE id IN (SELECT id FROM "coordination".version FOR NO KEY UPDATE SKIP LOCKED)
        """);

    /// <summary>It waits for no transaction that an ended grant guards: its lock is forgotten another time.</summary>
    public string Forget { get; } = With(schema, """
        WITH old AS MATERIALIZED (
            SELECT l.name FROM "coordination".locks l
            WHERE l.forget_after < clock_timestamp() AND (l.lasts_until IS NULL OR l.lasts_until < clock_timestamp())
                AND NOT EXISTS (SELECT FROM "coordination".shares s WHERE s.name = l.name AND s.lasts_until > clock_timestamp())
            LIMIT $1 FOR UPDATE SKIP LOCKED),
        taken AS MATERIALIZED (SELECT f.name, f.token FROM "coordination".fences f WHERE f.name IN (SELECT name FROM old) FOR UPDATE SKIP LOCKED),
        gone AS MATERIALIZED (
            SELECT o.name FROM old o
            WHERE NOT EXISTS (SELECT FROM "coordination".fences f WHERE f.name = o.name AND NOT EXISTS (SELECT FROM taken t WHERE t.name = f.name AND t.token = f.token))),
        shares AS (DELETE FROM "coordination".shares s USING gone WHERE s.name = gone.name),
        fences AS (DELETE FROM "coordination".fences f USING gone WHERE f.name = gone.name)
        DELETE FROM "coordination".locks l USING gone WHERE l.name = gone.name
        """);

    public const string Savepoint = "SAVEPOINT ending";

    public const string RollbackToSavepoint = "ROLLBACK TO SAVEPOINT ending";

    /// <summary>
    /// Before <see cref="Keepers"/>, and outside a savepoint: with the lock of this transaction beside those of others, what the row names is the list of all that have it, and never one
    /// of them alone, from which nobody can tell it by looking.
    /// </summary>
    public string ShareFence { get; } = With(schema, """SELECT 1 FROM "coordination".fences WHERE name = $1 AND token = $2 FOR KEY SHARE SKIP LOCKED""");

    /// <summary>Who has the lock of a fence's row beside this transaction. A transaction that is prepared has no session.</summary>
    public string Keepers { get; } = With(schema, $"""
        {Found}
        SELECT found.pid, a.usename::text, a.state, a.wait_event, p.gid FROM found
        LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = found.pid
        LEFT JOIN pg_catalog.pg_prepared_xacts p ON found.pid IS NULL AND p.transaction = found.transactionid
        WHERE NOT found.is_own AND (SELECT bool_or(is_own) FROM found)
        """);

    /// <summary>Looks again in the same statement: in between the session may have gone on to something else, which is none of this store's.</summary>
    public string EndKeeper { get; } = With(schema, $"""
        {Found}
        SELECT pg_catalog.pg_terminate_backend(found.pid) FROM found WHERE found.pid = $3 AND NOT found.is_own AND (SELECT bool_or(is_own) FROM found)
        """);

    private const string Found = """
        WITH own AS MATERIALIZED (SELECT transactionid FROM pg_catalog.pg_locks WHERE locktype = 'transactionid' AND mode = 'ExclusiveLock' AND granted AND pid = pg_catalog.pg_backend_pid()),
        found AS MATERIALIZED (
            SELECT DISTINCT l.pid, l.transactionid, coalesce(l.pid = pg_catalog.pg_backend_pid(), false) AS is_own
            FROM "coordination".fences f
            CROSS JOIN LATERAL pg_catalog.pg_get_multixact_members(CASE WHEN f.xmax IN (SELECT transactionid FROM own) THEN NULL ELSE f.xmax END) AS m
            JOIN pg_catalog.pg_locks l ON l.locktype = 'transactionid' AND l.mode = 'ExclusiveLock' AND l.granted AND l.transactionid = m.xid
            WHERE f.name = $1 AND f.token = $2)
        """;

    public static string With(string schema, string text) => text.Replace("\"coordination\"", $"\"{schema}\"", StringComparison.Ordinal);
}
