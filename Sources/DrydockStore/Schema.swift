// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import GRDB

/// The tables, and how they came about: a migration that was released is never changed.
enum Schema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1-first-voyage") { db in try db.execute(sql: first) }
        migrator.registerMigration("2-waiting-counted") { db in try db.execute(sql: waitingCounted) }
        migrator.registerMigration("3-shares") { db in try db.execute(sql: shares) }
        migrator.registerMigration("4-history") { db in try db.execute(sql: history) }
        migrator.registerMigration("5-access") { db in try db.execute(sql: access) }
        migrator.registerMigration("6-rebuilding") { db in try db.execute(sql: rebuilding) }
        migrator.registerMigration("7-ended-by") { db in try db.execute(sql: endedBy) }
        migrator.registerMigration("8-progress") { db in try db.execute(sql: progress) }
        migrator.registerMigration("9-ingredients") { db in try db.execute(sql: ingredients) }
        // Changes nothing here: versions that do not know it, and would miss sealed journals, refuse to open the database.
        migrator.registerMigration("10-sealed-journals") { _ in }
        migrator.registerMigration("11-submitters") { db in try db.execute(sql: submitters) }
        migrator.registerMigration("12-proof") { db in try db.execute(sql: proof) }
        return migrator
    }

    /// What came of attacking the sandbox the last time, as JSON.
    private static let proof = """
        CREATE TABLE proof (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            report BLOB NOT NULL
        );
        """

    /// What the fair order needs to know of each token, '' = none, that builds came with; kept like `shares`.
    ///
    /// A session's next build may start in the turn of every token that has one waiting there: whoever gets in front of
    /// others' builds must not make them wait for their own turn.
    private static let submitters = """
        ALTER TABLE builds ADD COLUMN submitter TEXT NOT NULL DEFAULT '';
        ALTER TABLE attempts ADD COLUMN submitter TEXT NOT NULL DEFAULT '';

        CREATE TABLE submitters (
            submitter TEXT PRIMARY KEY,
            -- builds that wait, and those under a lease
            waiting INTEGER NOT NULL DEFAULT 0,
            running INTEGER NOT NULL DEFAULT 0,
            -- starts that count against the submitter's turn
            starts INTEGER NOT NULL DEFAULT 0
        ) WITHOUT ROWID;
        CREATE INDEX submitters_turn ON submitters (running, starts) WHERE waiting > 0;

        -- A submitter's builds that wait in one session, and of its share what makes the order.
        CREATE TABLE places (
            session TEXT NOT NULL,
            submitter TEXT NOT NULL,
            waiting INTEGER NOT NULL DEFAULT 0,
            head INTEGER,
            running INTEGER NOT NULL DEFAULT 0,
            starts INTEGER NOT NULL DEFAULT 0,
            PRIMARY KEY (session, submitter)
        ) WITHOUT ROWID;
        CREATE INDEX places_turn ON places (submitter, starts, head) WHERE waiting > 0 AND running = 0;
        DROP INDEX shares_turn;

        -- Attempts that were removed went on counting.
        UPDATE shares SET starts = COALESCE((
            SELECT count FROM (SELECT session, COUNT(*) AS count FROM attempts WHERE counted = 1 GROUP BY session) AS own
            WHERE own.session = shares.session
        ), 0);
        INSERT INTO submitters SELECT '', SUM(waiting), SUM(running), SUM(starts) FROM shares HAVING COUNT(*) > 0;
        INSERT INTO places SELECT session, '', waiting, head, running, starts FROM shares WHERE waiting > 0;

        CREATE TRIGGER shares_removed AFTER DELETE ON attempts WHEN OLD.counted = 1 BEGIN
            UPDATE shares SET starts = starts - 1 WHERE session = OLD.session;
        END;
        CREATE TRIGGER shares_told AFTER UPDATE OF head, running, starts ON shares BEGIN
            UPDATE places SET head = NEW.head, running = NEW.running, starts = NEW.starts WHERE session = NEW.session;
        END;

        CREATE TRIGGER places_come AFTER INSERT ON builds WHEN NEW.state = 'queued' BEGIN
            INSERT OR IGNORE INTO places (session, submitter) VALUES (NEW.session, NEW.submitter);
            UPDATE places SET waiting = waiting + 1 WHERE session = NEW.session AND submitter = NEW.submitter;
            UPDATE shares SET head = head WHERE session = NEW.session;
        END;
        CREATE TRIGGER places_wait AFTER UPDATE OF state ON builds
            WHEN NEW.state = 'queued' AND OLD.state <> 'queued' BEGIN
            INSERT OR IGNORE INTO places (session, submitter) VALUES (NEW.session, NEW.submitter);
            UPDATE places SET waiting = waiting + 1 WHERE session = NEW.session AND submitter = NEW.submitter;
            UPDATE shares SET head = head WHERE session = NEW.session;
        END;
        CREATE TRIGGER places_leave AFTER UPDATE OF state ON builds
            WHEN NEW.state <> 'queued' AND OLD.state = 'queued' BEGIN
            UPDATE places SET waiting = waiting - 1 WHERE session = NEW.session AND submitter = NEW.submitter;
        END;
        CREATE TRIGGER places_go AFTER DELETE ON builds WHEN OLD.state = 'queued' BEGIN
            UPDATE places SET waiting = waiting - 1 WHERE session = OLD.session AND submitter = OLD.submitter;
        END;
        CREATE TRIGGER places_empty AFTER UPDATE OF waiting ON places WHEN NEW.waiting = 0 BEGIN
            DELETE FROM places WHERE session = NEW.session AND submitter = NEW.submitter;
        END;

        CREATE TRIGGER submitters_come AFTER INSERT ON builds WHEN NEW.state = 'queued' BEGIN
            INSERT OR IGNORE INTO submitters (submitter) VALUES (NEW.submitter);
            UPDATE submitters SET waiting = waiting + 1 WHERE submitter = NEW.submitter;
        END;
        CREATE TRIGGER submitters_move AFTER UPDATE OF state ON builds
            WHEN (OLD.state = 'queued') <> (NEW.state = 'queued') BEGIN
            INSERT OR IGNORE INTO submitters (submitter) VALUES (NEW.submitter);
            UPDATE submitters SET waiting = waiting + (NEW.state = 'queued') - (OLD.state = 'queued')
                WHERE submitter = NEW.submitter;
        END;
        CREATE TRIGGER submitters_go AFTER DELETE ON builds WHEN OLD.state = 'queued' BEGIN
            UPDATE submitters SET waiting = waiting - 1 WHERE submitter = OLD.submitter;
        END;
        CREATE TRIGGER submitters_lease AFTER UPDATE OF lease_until ON builds
            WHEN (OLD.lease_until IS NULL) <> (NEW.lease_until IS NULL) BEGIN
            INSERT OR IGNORE INTO submitters (submitter) VALUES (NEW.submitter);
            UPDATE submitters SET running = running + (CASE WHEN NEW.lease_until IS NULL THEN -1 ELSE 1 END)
                WHERE submitter = NEW.submitter;
        END;
        CREATE TRIGGER submitters_start AFTER INSERT ON attempts WHEN NEW.counted = 1 BEGIN
            INSERT OR IGNORE INTO submitters (submitter) VALUES (NEW.submitter);
            UPDATE submitters SET starts = starts + 1 WHERE submitter = NEW.submitter;
        END;
        CREATE TRIGGER submitters_forget AFTER UPDATE OF counted ON attempts
            WHEN OLD.counted = 1 AND NEW.counted = 0 BEGIN
            UPDATE submitters SET starts = starts - 1 WHERE submitter = NEW.submitter;
        END;
        CREATE TRIGGER submitters_removed AFTER DELETE ON attempts WHEN OLD.counted = 1 BEGIN
            UPDATE submitters SET starts = starts - 1 WHERE submitter = OLD.submitter;
        END;
        CREATE TRIGGER submitters_empty AFTER UPDATE ON submitters
            WHEN NEW.waiting = 0 AND NEW.running = 0 AND NEW.starts = 0 BEGIN
            DELETE FROM submitters WHERE submitter = NEW.submitter;
        END;
        """

    /// What was learned of each project's builds, the project that was built last with the highest number.
    private static let progress = """
        CREATE TABLE histories (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            project TEXT NOT NULL UNIQUE,
            -- BuildHistory
            learned BLOB NOT NULL
        );
        """

    /// What the last build of each project that succeeded was made of, the project that was built last with the highest number.
    private static let ingredients = """
        CREATE TABLE ingredients (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            project TEXT NOT NULL UNIQUE,
            -- BuildIngredients
            learned BLOB NOT NULL
        );
        """

    /// Who wrote a build's end, a `BuildEnd.Author`.
    ///
    /// Of builds from before nobody knows it where the failure could be anybody's; the others are their workers' own.
    private static let endedBy = """
        ALTER TABLE builds ADD COLUMN ended_by TEXT;
        UPDATE builds SET ended_by = 'worker' WHERE finished_at IS NOT NULL AND COALESCE(
            CASE WHEN json_valid(CAST(failure AS TEXT)) THEN json_extract(CAST(failure AS TEXT), '$.code') END, ''
        ) NOT IN ('lost', 'cancelled');
        """

    /// Whether the index may lack builds that have journals; cleared in the transaction that adds the last of them.
    ///
    /// Set for databases of before too: a rebuild of theirs may have been interrupted, and nothing else would tell.
    private static let rebuilding = """
        ALTER TABLE counter ADD COLUMN rebuilding INTEGER NOT NULL DEFAULT 1;
        """

    /// Who may do what, and who did: digests of tokens, which are never removed, and records that nobody can change.
    private static let access = """
        CREATE TABLE tokens (
            name TEXT PRIMARY KEY,
            digest TEXT NOT NULL UNIQUE,
            -- AccessScope, with commas
            scopes TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            expires_at INTEGER,
            revoked_at INTEGER
        ) WITHOUT ROWID;

        CREATE TABLE audit (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            at INTEGER NOT NULL,
            who TEXT,
            address TEXT NOT NULL,
            action TEXT NOT NULL,
            subject TEXT,
            made TEXT,
            status INTEGER NOT NULL,
            code TEXT
        );
        CREATE INDEX audit_at ON audit (at);
        CREATE TRIGGER audit_stands BEFORE UPDATE ON audit
            BEGIN SELECT RAISE(ABORT, 'the audit is only appended to'); END;
        """

    /// What keeps a long history from costing anything: builds are counted by an index, blobs found by who refers to them,
    /// and it is known which builds were only read off the ends of their journals.
    private static let history = """
        CREATE INDEX builds_state ON builds (state);
        CREATE INDEX builds_finished ON builds (finished_at) WHERE finished_at IS NOT NULL;
        CREATE INDEX artifacts_digest ON artifacts (digest);
        -- a BuildRows.JournalReading
        ALTER TABLE builds ADD COLUMN journal TEXT NOT NULL DEFAULT 'whole';
        CREATE INDEX builds_journal ON builds (number) WHERE journal <> 'whole';
        """

    /// What the fair order needs to know of each session, kept by the database itself, so that whose turn it is does not
    /// take longer the more builds wait or were started; what a repeated request must repeat; lost attempts by themselves.
    private static let shares = """
        CREATE TABLE shares (
            session TEXT PRIMARY KEY,
            -- builds that wait, and the number of the oldest of them
            waiting INTEGER NOT NULL DEFAULT 0,
            head INTEGER,
            -- builds under a lease
            running INTEGER NOT NULL DEFAULT 0,
            -- starts that count against the session's turn
            starts INTEGER NOT NULL DEFAULT 0
        ) WITHOUT ROWID;
        CREATE INDEX shares_turn ON shares (starts, head) WHERE waiting > 0 AND running = 0;

        ALTER TABLE attempts ADD COLUMN counted INTEGER NOT NULL DEFAULT 1;
        CREATE INDEX attempts_counted ON attempts (started_at) WHERE counted = 1;
        DROP INDEX attempts_recent;

        INSERT INTO shares (session, waiting, head, running, starts)
            SELECT session, SUM(state = 'queued'), MIN(CASE WHEN state = 'queued' THEN number END),
                SUM(lease_until IS NOT NULL), 0
            FROM builds GROUP BY session HAVING SUM(state = 'queued') > 0 OR SUM(lease_until IS NOT NULL) > 0;
        UPDATE attempts SET counted = 0;

        CREATE TRIGGER shares_come AFTER INSERT ON builds WHEN NEW.state = 'queued' BEGIN
            INSERT OR IGNORE INTO shares (session) VALUES (NEW.session);
            UPDATE shares SET waiting = waiting + 1, head = MIN(COALESCE(head, NEW.number), NEW.number)
                WHERE session = NEW.session;
        END;
        CREATE TRIGGER shares_wait AFTER UPDATE OF state ON builds
            WHEN NEW.state = 'queued' AND OLD.state <> 'queued' BEGIN
            INSERT OR IGNORE INTO shares (session) VALUES (NEW.session);
            UPDATE shares SET waiting = waiting + 1, head = MIN(COALESCE(head, NEW.number), NEW.number)
                WHERE session = NEW.session;
        END;
        CREATE TRIGGER shares_leave AFTER UPDATE OF state ON builds
            WHEN NEW.state <> 'queued' AND OLD.state = 'queued' BEGIN
            UPDATE shares SET waiting = waiting - 1,
                head = (SELECT MIN(number) FROM builds WHERE session = NEW.session AND state = 'queued')
                WHERE session = NEW.session;
        END;
        CREATE TRIGGER shares_go AFTER DELETE ON builds WHEN OLD.state = 'queued' BEGIN
            UPDATE shares SET waiting = waiting - 1,
                head = (SELECT MIN(number) FROM builds WHERE session = OLD.session AND state = 'queued')
                WHERE session = OLD.session;
        END;
        CREATE TRIGGER shares_lease AFTER UPDATE OF lease_until ON builds
            WHEN (OLD.lease_until IS NULL) <> (NEW.lease_until IS NULL) BEGIN
            INSERT OR IGNORE INTO shares (session) VALUES (NEW.session);
            UPDATE shares SET running = running + (CASE WHEN NEW.lease_until IS NULL THEN -1 ELSE 1 END)
                WHERE session = NEW.session;
        END;
        CREATE TRIGGER shares_start AFTER INSERT ON attempts WHEN NEW.counted = 1 BEGIN
            INSERT OR IGNORE INTO shares (session) VALUES (NEW.session);
            UPDATE shares SET starts = starts + 1 WHERE session = NEW.session;
        END;
        CREATE TRIGGER shares_forget AFTER UPDATE OF counted ON attempts
            WHEN OLD.counted = 1 AND NEW.counted = 0 BEGIN
            UPDATE shares SET starts = starts - 1 WHERE session = NEW.session;
        END;
        CREATE TRIGGER shares_empty AFTER UPDATE ON shares
            WHEN NEW.waiting = 0 AND NEW.running = 0 AND NEW.starts = 0 BEGIN
            DELETE FROM shares WHERE session = NEW.session;
        END;

        ALTER TABLE builds ADD COLUMN losses INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE builds ADD COLUMN source_blob TEXT;
        UPDATE builds SET source_blob = json_extract(CAST(request AS TEXT), '$.source.archive._0')
            WHERE json_valid(CAST(request AS TEXT));
        CREATE INDEX builds_source ON builds (source_blob) WHERE source_blob IS NOT NULL;
        ALTER TABLE builds ADD COLUMN idempotency_scope TEXT;
        ALTER TABLE builds ADD COLUMN idempotency_body TEXT;
        UPDATE builds SET idempotency_scope = 'session ' || session WHERE idempotency_key IS NOT NULL;
        DROP INDEX builds_key;
        CREATE UNIQUE INDEX builds_key ON builds (idempotency_scope, idempotency_key)
            WHERE idempotency_key IS NOT NULL;
        """

    /// How many builds wait, kept by the database itself: counting them for each one that comes takes longer, the more
    /// there are.
    private static let waitingCounted = """
        ALTER TABLE counter ADD COLUMN waiting INTEGER NOT NULL DEFAULT 0;
        UPDATE counter SET waiting = (SELECT COUNT(*) FROM builds WHERE state = 'queued');
        CREATE TRIGGER builds_come AFTER INSERT ON builds WHEN NEW.state = 'queued'
            BEGIN UPDATE counter SET waiting = waiting + 1; END;
        CREATE TRIGGER builds_go AFTER DELETE ON builds WHEN OLD.state = 'queued'
            BEGIN UPDATE counter SET waiting = waiting - 1; END;
        CREATE TRIGGER builds_move AFTER UPDATE OF state ON builds
            WHEN (OLD.state = 'queued') <> (NEW.state = 'queued')
            BEGIN UPDATE counter SET waiting = waiting + (NEW.state = 'queued') - (OLD.state = 'queued'); END;
        """

    /// `number` gives the order of the queue; `revision` rises with every change of any build.
    ///
    /// The partial indexes hold only what is alive, so that a claim does not read past builds.
    private static let first = """
        CREATE TABLE counter (id INTEGER PRIMARY KEY CHECK (id = 1), revision INTEGER NOT NULL);
        INSERT INTO counter VALUES (1, 0);

        CREATE TABLE builds (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,
            session TEXT NOT NULL,
            project TEXT NOT NULL,
            state TEXT NOT NULL,
            request BLOB NOT NULL,
            idempotency_key TEXT,
            attempt TEXT,
            attempts INTEGER NOT NULL,
            created_at INTEGER NOT NULL,
            started_at INTEGER,
            finished_at INTEGER,
            failure BLOB,
            deploy TEXT,
            revision INTEGER NOT NULL,
            worker TEXT,
            lease_until INTEGER
        );
        CREATE UNIQUE INDEX builds_key ON builds (session, idempotency_key) WHERE idempotency_key IS NOT NULL;
        CREATE INDEX builds_waiting ON builds (session, number) WHERE state = 'queued';
        CREATE INDEX builds_leased ON builds (session) WHERE lease_until IS NOT NULL;
        CREATE INDEX builds_revision ON builds (revision);
        CREATE INDEX builds_session ON builds (session, number);
        CREATE INDEX builds_project ON builds (project, number);

        CREATE TABLE attempts (
            id TEXT PRIMARY KEY,
            build TEXT NOT NULL,
            session TEXT NOT NULL,
            number INTEGER NOT NULL,
            worker TEXT NOT NULL,
            started_at INTEGER NOT NULL
        ) WITHOUT ROWID;
        CREATE INDEX attempts_build ON attempts (build, number);
        CREATE INDEX attempts_recent ON attempts (started_at, session);

        CREATE TABLE cancels (
            attempt TEXT PRIMARY KEY,
            by TEXT NOT NULL,
            reason TEXT NOT NULL
        ) WITHOUT ROWID;

        CREATE TABLE artifacts (
            build TEXT NOT NULL,
            path TEXT NOT NULL,
            digest TEXT NOT NULL,
            size INTEGER NOT NULL,
            role TEXT NOT NULL,
            executable INTEGER NOT NULL,
            PRIMARY KEY (build, path)
        ) WITHOUT ROWID;

        CREATE TABLE deploys (
            id TEXT PRIMARY KEY,
            build TEXT NOT NULL,
            root TEXT NOT NULL,
            spa INTEGER NOT NULL
        ) WITHOUT ROWID;
        """
}
