// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
internal import DrydockOS
package import SystemPackage

/// What a store could not do.
package enum StoreError: Error, Hashable, Sendable {
    case notADirectory(FilePath)
    case notWritable(FilePath)
    case ownedByAnother(FilePath, owner: UInt32)
    /// Neither empty nor a data directory; one of the names in it.
    case holdsOther(FilePath, example: String)
    /// Every user of the machine may write there.
    case shared(FilePath)
    /// A link where a directory has to be.
    case linked(FilePath)
    case diskFull(FilePath)
    case newerVersion(FilePath)
    case databaseDamaged(FilePath, detail: String)
    case databaseFailed(detail: String)
    /// A system call failed for a reason that has no case of its own.
    case io(operation: String, FilePath, Errno)
    /// So many builds wait as may.
    case queueFull(QueueShare, limit: Int)
    case noSuchBuild(BuildID)
    case noSuchAttempt(BuildID, AttemptID)
    case illegalMove(BuildID, from: BuildState, to: BuildState)
    case leaseLost(BuildID, AttemptID)
    case alreadyAccepted(BuildID)
    /// An idempotency key came again with another body; the build it made first.
    case keyReused(BuildID)
    case journalInUse(AttemptID)
    case journalEnded(AttemptID)
    case blobFinished
    case tokenNameTaken(TokenName)
    /// What was to be forgotten as damaged is whole, or under a lease, or not there.
    case notDamaged(BuildID)
    /// Where a backup should go; one of the names in it.
    case notEmpty(FilePath, example: String)
    /// A backup below the data directory.
    case insideItself(FilePath)
}

extension StoreError {
    /// Stable, `<area>.<what-is-wrong>`.
    package var code: String {
        switch self {
        case .notADirectory: "store.not-a-directory"
        case .notWritable: "store.not-writable"
        case .ownedByAnother: "store.owned-by-another"
        case .holdsOther: "store.holds-other"
        case .shared: "store.shared"
        case .linked: "store.linked"
        case .diskFull: "store.disk-full"
        case .newerVersion: "store.newer-version"
        case .databaseDamaged: "store.database-damaged"
        case .databaseFailed: "store.database-failed"
        case .io: "store.io"
        case .queueFull: "store.queue-full"
        case .noSuchBuild: "store.no-such-build"
        case .noSuchAttempt: "store.no-such-attempt"
        case .illegalMove: "store.illegal-move"
        case .leaseLost: "store.lease-lost"
        case .alreadyAccepted: "store.already-accepted"
        case .keyReused: "store.key-reused"
        case .journalInUse: "store.journal-in-use"
        case .journalEnded: "store.journal-ended"
        case .blobFinished: "store.blob-finished"
        case .tokenNameTaken: "store.token-name-taken"
        case .notDamaged: "store.not-damaged"
        case .notEmpty: "store.not-empty"
        case .insideItself: "store.inside-itself"
        }
    }

    /// What failed and why.
    package var message: String {
        switch self {
        case .notADirectory(let path): "\(path) is not a directory"
        case .notWritable(let path): "\(path) is not writable for this user"
        case .ownedByAnother(let path, let owner):
            "the data directory \(path) belongs to the user with id \(owner)"
        case .holdsOther(let path, let example):
            "\(path) is no data directory: it holds other things (\(TreePath.shown(example.utf8)))"
        case .shared(let path): "\(path) is open to every user of this machine"
        case .linked(let path): "\(path) is a link, and what nobody uses in it would be removed"
        case .diskFull(let path): "the disk that holds \(path) is full"
        case .newerVersion(let path): "\(path) was written by a newer version of Drydock"
        case .databaseDamaged(let path, let detail): "the database \(path) is damaged: \(detail)"
        case .databaseFailed(let detail): "the database refused: \(detail)"
        case .io(let operation, let path, let reason): "\(operation) of \(path) failed: \(reason)"
        case .queueFull(.session(let session), let limit):
            "session \(session) already has \(limit) builds waiting"
        case .queueFull(.submitter, let limit): "your token already has \(limit) builds waiting"
        case .queueFull(.all, let limit): "\(limit) builds are waiting already"
        case .noSuchBuild(let id): "there is no build \(id)"
        case .noSuchAttempt(let build, let attempt): "build \(build) has no attempt \(attempt)"
        case .illegalMove(let id, let from, let to):
            "build \(id) can not go from \(from.rawValue) to \(to.rawValue)"
        case .leaseLost(let build, let attempt): "the lease of \(build) for attempt \(attempt) was taken back"
        case .keyReused(let id): "this idempotency key made build \(id) of another request"
        case .alreadyAccepted(let id): "this idempotency key already belongs to build \(id)"
        case .journalInUse(let attempt): "the journal of attempt \(attempt) has a writer already"
        case .journalEnded(let attempt): "the journal of attempt \(attempt) has ended"
        case .tokenNameTaken(let name): "there is, or was, a token named \(name)"
        case .notDamaged(let id): "\(id) is no damaged build without a lease; nothing was removed"
        case .notEmpty(let path, let example):
            "\(path) is not empty: it holds \(TreePath.shown(example.utf8))"
        case .insideItself(let path): "\(path) is the data directory, or lies in it"
        case .blobFinished: "this blob was finished or discarded before"
        }
    }

    /// What to do about it.
    package var hint: String? {
        switch self {
        case .notADirectory, .notWritable:
            "name another directory with --data, or give this user the right to write"
        case .holdsOther, .shared: "name an empty directory with --data, or one that is not there yet"
        case .linked: "make it a directory; another disk can be mounted there"
        case .ownedByAnother: "run Drydock as that user, or name another directory with --data"
        case .diskFull: "free some space, or name a directory on another disk with --data"
        case .newerVersion: "use that version, or name another directory with --data"
        case .databaseDamaged:
            "stop Drydock and move the file away: the next start makes a new one from the journals"
        case .queueFull: "wait until one of them has ended, or cancel one"
        case .notDamaged: "`drydock gc` names a damaged build, where there is one"
        case .tokenNameTaken: "choose another name: records of who did what go by names"
        case .notEmpty, .insideItself:
            "name a directory that is new or empty, on another disk if there is one"
        default: nil
        }
    }

    /// The same for the API.
    package var failure: Failure {
        let apiCode: FailureCode
        switch self {
        case .diskFull: apiCode = .diskFull
        case .queueFull: apiCode = .queueFull
        case .leaseLost: apiCode = .lost
        default: apiCode = .internal
        }
        return Failure(apiCode, .platform, message, hint: hint)
    }

    /// The case that explains a failed system call best.
    static func system(_ operation: String, _ path: FilePath, _ reason: Errno) -> StoreError {
        switch reason {
        case .noSpace, .diskQuotaExceeded: .diskFull(path)
        case .permissionDenied, .readOnlyFileSystem, .notPermitted: .notWritable(path)
        case .notDirectory: .notADirectory(path)
        default: .io(operation: operation, path, reason)
        }
    }
}

extension StoreError: CustomStringConvertible {
    package var description: String { hint.map { "\(message); \($0)" } ?? message }
}
