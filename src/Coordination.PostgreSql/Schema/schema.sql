-- The tables of Coordination's PostgreSQL store. The store makes them at its start by itself (option CreateSchema); or run this
-- script once, as whoever is to own them, with "coordination" replaced where the option Schema says something else. It may be run again.
--
-- The least that nodes need of them, where "app" is their role:
--   GRANT USAGE ON SCHEMA "coordination" TO app;
--   GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "coordination" TO app;
-- A role that only guards its transactions by a lease needs USAGE alone: it calls "coordination".guard. Where that is not the nodes' role,
--   GRANT worker TO app;
-- lets them end its sessions that keep a lock for a lease longer than their own. Nothing here does that with its owner's rights, who would need to be a member of each such role.

CREATE SCHEMA IF NOT EXISTS "coordination";

-- A row for each lock. The columns that a renewal changes are in no index, and a page is half empty: so renewals are HOT updates.
CREATE TABLE IF NOT EXISTS "coordination".locks (
    name text COLLATE "C" PRIMARY KEY,
    document text NOT NULL DEFAULT '{}',
    last_token bigint NOT NULL DEFAULT 0,
    owner text,
    token bigint,
    renewed_at timestamptz,
    lasts_until timestamptz,
    is_held boolean NOT NULL DEFAULT false,
    only_entry bigint,
    is_guarded boolean NOT NULL DEFAULT false,
    forget_after timestamptz
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.1, autovacuum_vacuum_threshold = 1000);

COMMENT ON COLUMN "coordination".locks.owner IS 'Who has the exclusive lock: node/sequence. Null when nobody does, and for a lock that several may hold: those are in shares.';
COMMENT ON COLUMN "coordination".locks.lasts_until IS 'When the lease runs out with no renewal. One that is past counts for nothing.';

-- A row for each grant of a lock that several may hold.
CREATE TABLE IF NOT EXISTS "coordination".shares (
    name text COLLATE "C" NOT NULL,
    token bigint NOT NULL,
    owner text NOT NULL,
    share text NOT NULL,
    renewed_at timestamptz NOT NULL,
    lasts_until timestamptz NOT NULL,
    is_held boolean NOT NULL,
    only_entry bigint,
    PRIMARY KEY (name, token)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.1, autovacuum_vacuum_threshold = 1000);

-- A row for each grant that guards transactions: they share its lock until they commit, and whoever ends the grant deletes it, and so waits for them.
CREATE TABLE IF NOT EXISTS "coordination".fences (
    name text COLLATE "C" NOT NULL,
    token bigint NOT NULL,
    PRIMARY KEY (name, token)
);

-- What nodes are told that do not listen (option Notifications = Poll): they take it from here.
CREATE TABLE IF NOT EXISTS "coordination".mail (
    id bigint GENERATED ALWAYS AS IDENTITY,
    channel text COLLATE "C" NOT NULL,
    text text NOT NULL,
    sent_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (channel, id)
);

CREATE TABLE IF NOT EXISTS "coordination".version (
    id integer PRIMARY KEY CHECK (id = 1),
    version integer NOT NULL,
    checked_at timestamptz,
    identity uuid NOT NULL DEFAULT pg_catalog.md5(pg_catalog.random()::text || pg_catalog.random() || pg_catalog.clock_timestamp() || pg_catalog.pg_backend_pid())::uuid
) WITH (fillfactor = 50);

COMMENT ON COLUMN "coordination".version.identity IS 'Made once. By it a transaction that is to be guarded is known to be on the database that keeps the lock.';

INSERT INTO "coordination".version (id, version) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET version = excluded.version WHERE version.version < excluded.version;

-- Called inside a transaction that is to commit only while the grant stands, before its first savepoint. From here to its end nobody else is granted the lock; a
-- session that then idles for longer than its lease is ended by the server, with the transaction. One whose grant has ended fails, and cannot commit any more unless it
-- is rolled back to a savepoint. "store" is what nodes know the store by; whoever calls this by hand leaves it out.
CREATE OR REPLACE FUNCTION "coordination".guard(lock_name text, fencing_token bigint, idle_limit integer, store text DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $guard$
DECLARE
    idle_now bigint := extract(epoch FROM pg_catalog.current_setting('idle_in_transaction_session_timeout')::interval) * 1000;
    top xid;
    locker xid;
    own xid[];
BEGIN
    IF pg_catalog.current_setting('transaction_read_only')::boolean AND NOT pg_catalog.pg_is_in_recovery() THEN
        RAISE EXCEPTION 'This transaction is read-only, so it has nothing to guard. Begin it READ WRITE.' USING ERRCODE = 'CF004';
    END IF;

    PERFORM 1 FROM "coordination".fences f WHERE f.name = lock_name AND f.token = fencing_token FOR SHARE;
    IF NOT FOUND THEN
        IF store IS NOT NULL AND NOT EXISTS (SELECT FROM "coordination".version v WHERE v.identity || '@' || pg_catalog.current_database() = store) THEN
            RAISE EXCEPTION 'The database "%" does not keep the lock "%".', pg_catalog.current_database(), lock_name USING ERRCODE = 'CF002';
        END IF;

        IF pg_catalog.current_setting('transaction_isolation') IN ('repeatable read', 'serializable') THEN
            -- It may be there, and newer than what this transaction sees.
            BEGIN
                INSERT INTO "coordination".fences (name, token) VALUES (lock_name, fencing_token);
            EXCEPTION WHEN unique_violation THEN
                RAISE EXCEPTION 'This transaction began before its lease was made ready to guard it. Begin it again.' USING ERRCODE = 'serialization_failure';
            END;
        END IF;

        RAISE EXCEPTION 'The lease with the token % of the lock "%" is not current any more, so this transaction cannot commit.', fencing_token, lock_name
            USING ERRCODE = 'CF001';
    END IF;

    -- A rollback to a savepoint gives back the locks that were taken after it. Who has the row is in it: this transaction; else one that a savepoint began, or the number
    -- of a list, where several have it. Such a number may by chance be that of this transaction only where as many lists were made.
    top := (pg_catalog.txid_current() & 4294967295)::text::xid;
    SELECT f.xmax INTO locker FROM "coordination".fences f WHERE f.name = lock_name AND f.token = fencing_token;
    IF locker <> top OR pg_catalog.mxid_age(locker) > 0 THEN
        SELECT pg_catalog.array_agg(l.transactionid) INTO own FROM pg_catalog.pg_locks l
        WHERE l.locktype = 'transactionid' AND l.pid = pg_catalog.pg_backend_pid() AND l.mode = 'ExclusiveLock' AND l.granted;
        IF pg_catalog.cardinality(own) > 1 AND (locker = ANY (own) OR NOT EXISTS (SELECT FROM pg_catalog.pg_get_multixact_members(locker) m WHERE m.xid = top)) THEN
            RAISE EXCEPTION 'A savepoint is open, and a rollback to it would undo the guard. Guard the transaction before its first savepoint.' USING ERRCODE = 'CF003';
        END IF;
    END IF;

    IF idle_limit > 0 AND (idle_now = 0 OR idle_now > idle_limit) THEN
        PERFORM pg_catalog.set_config('idle_in_transaction_session_timeout', idle_limit::text, true);
    END IF;
END
$guard$;
