// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockOS
internal import DrydockStore
internal import DrydockWorker
internal import SystemPackage

/// What binds a worker to the server of its data directory: it is the only one of its kind there, shows that it works, and
/// is wanted for as long as a server is there that would start one just like it.
///
/// After a server was killed, its worker finishes the builds it has; the next server of the same kind finds it at work
/// and goes on with it.
struct ServerTies: Sendable {
    private let lock: LivenessLock
    private let server: FilePath
    private let fingerprint: String

    /// Throws when another worker serves the directory.
    init(_ directory: DataDirectory, fingerprint: String) throws {
        guard let lock = try LivenessLock.take(directory.workerLock, note: fingerprint) else {
            throw CommandProblem(
                .unavailable,
                "the worker",
                why: "another one serves \(directory.path)",
                remedy: "one is enough; `drydock worker` without --for-server may stand beside it"
            )
        }
        self.lock = lock
        self.server = directory.serverLock
        self.fingerprint = fingerprint
    }

    var ties: WorkerTies {
        WorkerTies(isWanted: { self.hasServer }, beat: { self.lock.beat() })
    }

    private var hasServer: Bool {
        do throws(Errno) {
            switch try LivenessLock.status(of: server) {
            case .free: return false
            // One that has just come will say what it is.
            case .held(nil): return true
            case .held(let holder?): return holder.note == fingerprint
            }
        } catch {
            // Not to be told now, with no descriptor left perhaps: builds must not end for that.
            return true
        }
    }
}
