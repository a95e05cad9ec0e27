// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import GRDB

/// The tables, and how they came about: a migration that was released is never changed.
enum Schema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1-first-voyage") { db in try db.execute(sql: first) }
        migrator.registerMigration("2-waiting-counted") { db in try db.execute(sql: waitingCounted) }
        return migrator
    }

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
