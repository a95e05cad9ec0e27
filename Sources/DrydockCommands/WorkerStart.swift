// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockOS
internal import Glibc
internal import Synchronization
internal import SystemPackage

/// How the server starts its worker.
struct WorkerStart: Sendable {
    let program: FilePath
    /// Behind the program's name, without the fingerprint.
    let arguments: [String]
    /// `NAME=value`.
    let environment: [String]
    /// Files whose change makes another worker of it: the program, the configuration.
    let files: [FilePath]

    /// Tells workers apart that would not do the same: another program, configuration, or command line.
    var fingerprint: String {
        let parts =
            arguments + environment.filter { $0.hasPrefix("DRYDOCK_") }.sorted() + files.map(Self.version)
        let digest = SHA256Hasher.digest(of: parts.map { "\($0.utf8.count):\($0)" }.joined().utf8)
        return String(digest.hex.prefix(32))
    }

    private static func version(of file: FilePath) -> String {
        var status = stat()
        guard stat(file.string, &status) == 0 else { return "\(file) is not there" }
        return "\(file) \(status.st_ino) \(status.st_size) \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
    }

    /// Starts it in a session of its own, so that it outlives this process.
    func run() throws -> RunningWorker {
        let nothing = try OwnedDescriptor.null()
        let log = FileDescriptor.standardError
        let child = try nothing.withDescriptor { nothing in
            try ChildProcess.spawn(
                program,
                arguments: [program.string] + arguments + ["--for-server", fingerprint],
                environment: environment,
                inherited: [.init(nothing, as: 0), .init(log, as: 1), .init(log, as: 2)]
            )
        }
        return try RunningWorker(child)
    }
}

/// A worker that this server started.
final class RunningWorker: Sendable {
    private let child: ChildProcess
    private let end = Mutex<String?>(nil)

    /// Waits for its end on a thread of its own.
    init(_ child: consuming ChildProcess) throws {
        self.child = child
        try SystemThread.start(name: "worker-wait") {
            let ending = Result { try self.child.waitBlocking() }
            self.end.withLock { end in
                switch ending {
                case .success(let ending): end = "\(ending.status)"
                case .failure(let error): end = "\(error)"
                }
            }
        }
    }

    /// How it ended; nil while it runs.
    var ending: String? { end.withLock { $0 } }

    /// Signals it; fine when it has ended.
    func signal(_ number: Int32) throws(Errno) {
        do throws(Errno) {
            try child.signal(number)
        } catch {
            guard error == .noSuchProcess else { throw error }
        }
    }
}
