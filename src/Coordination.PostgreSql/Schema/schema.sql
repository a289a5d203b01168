-- The tables of Coordination's PostgreSQL store. The store makes them at its start by itself (option CreateSchema); or run this
-- script once, as whoever is to own them, with "coordination" replaced where the option Schema says something else. It may be run again.
--
-- The least that nodes need of them, where "app" is their role:
--   GRANT USAGE ON SCHEMA "coordination" TO app;
--   GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "coordination" TO app;
-- A role that only guards its transactions by a lease needs USAGE alone: it calls "coordination".guard.

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
    checked_at timestamptz
) WITH (fillfactor = 50);

INSERT INTO "coordination".version (id, version) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET version = excluded.version WHERE version.version < excluded.version;

-- Called inside a transaction that is to commit only while the grant stands. From here to its end nobody else is granted the lock; a session
-- that then idles for longer than its lease is ended by the server, with the transaction. One whose grant has ended fails, and cannot commit any more.
CREATE OR REPLACE FUNCTION "coordination".guard(lock_name text, fencing_token bigint, idle_limit integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $guard$
DECLARE
    idle_now integer := (SELECT setting::integer FROM pg_catalog.pg_settings WHERE pg_settings.name = 'idle_in_transaction_session_timeout');
    is_missing boolean;
BEGIN
    PERFORM 1 FROM "coordination".fences f WHERE f.name = lock_name AND f.token = fencing_token FOR SHARE;
    is_missing := NOT FOUND;
    IF is_missing AND pg_catalog.current_setting('transaction_isolation') IN ('repeatable read', 'serializable') THEN
        -- It may be there, and newer than what this transaction sees.
        BEGIN
            INSERT INTO "coordination".fences (name, token) VALUES (lock_name, fencing_token);
        EXCEPTION WHEN unique_violation THEN
            RAISE EXCEPTION 'This transaction began before its lease was made ready to guard it. Begin it again.' USING ERRCODE = 'serialization_failure';
        END;
    END IF;

    IF is_missing THEN
        RAISE EXCEPTION 'The lease with the token % of the lock "%" is not current any more, so this transaction cannot commit.', fencing_token, lock_name
            USING ERRCODE = 'CF001';
    END IF;

    IF idle_limit > 0 AND (idle_now = 0 OR idle_now > idle_limit) THEN
        PERFORM pg_catalog.set_config('idle_in_transaction_session_timeout', idle_limit::text, true);
    END IF;
END
$guard$;
