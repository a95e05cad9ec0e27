// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockStore
import DrydockTestSupport
import Foundation
import Logging
import Synchronization
import SystemPackage
import Testing

@testable import DrydockWorker

@Suite("What dead workers leave", .timeLimit(.minutes(1)))
struct LeftoversTests {
    private func request(_ session: Int) -> BuildRequest {
        BuildRequest(
            session: SessionID(rawValue: "s\(session)"),
            project: ProjectName(rawValue: "p"),
            source: .path("/src"),
            trigger: .api,
            title: "t"
        )
    }

    @Test("what is in use stays: of hundreds of builds, of several workers, of a plan; the rest goes")
    func inUse() async throws {
        let root = FilePath(FileManager.default.temporaryDirectory.path).appending("drydock-left-\(UUID())")
        defer { try? FileManager.default.removeItem(atPath: root.string) }
        var options = EmbeddedStore.Options()
        options.durability = .relaxed
        let store = try EmbeddedStore(opening: root, options)
        let folder = store.directory.work
        var used: Set<String> = []
        for number in 0..<250 {
            let worker = WorkerID(rawValue: "w\(number % 3)")
            used.insert(try await store.enqueueLeased(request(number), to: worker).attempt.rawValue)
        }
        let plan = WorkerID.make("plan")
        let registration = try await store.register(plan)
        defer { registration.end() }
        used.insert(plan.rawValue)
        used.insert(try #require(used.first) + ".git")
        let left = ["a_0000000000000000", "plan-0", "a_0000000000000000.git"]
        for name in used.union(left) {
            let path = folder.appending(name).appending("deep/er").string
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
        // What nobody of ours makes there is nobody's of ours to remove.
        for name in [".keep", "lost+found", "thesis", "a_b", "a_0000000000000000.tex", "plan-B.txt"] {
            used.insert(name)
            let path = folder.appending(name).string
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        try await Leftovers(folders: [folder], store: store, logger: logger).remove()
        #expect(Set(try FileManager.default.contentsOfDirectory(atPath: folder.string)) == used)
        try store.close()
    }

    @Test("what its owner removes meanwhile was nobody's leftover, and is not told as one")
    func goneMeanwhile() async throws {
        let scratch = try ScratchDirectory()
        let store = try EmbeddedStore(opening: FilePath(scratch.path).appending("data"))
        let work = store.directory.work
        let (ended, dead) = (work.appending("plan-1"), work.appending("plan-2"))
        for path in [ended, dead] {
            try FileManager.default.createDirectory(atPath: path.string, withIntermediateDirectories: false)
        }
        let told = Told()
        let logger = Logger(label: "test") { _ in told }
        // The names have been read by then.
        let scripted = ScriptedStore(store, Removing(call: .leased, path: ended.string))
        try await Leftovers(folders: [work], store: scripted, logger: logger).remove()
        #expect(told.paths.withLock(\.self) == [dead.string])
        #expect(try FileManager.default.contentsOfDirectory(atPath: work.string).isEmpty)
        try store.close()
    }
}

/// Removes something when a call comes.
private struct Removing: StoreScript {
    let call: StoreCall
    let path: String

    func before(_ call: StoreCall) async throws {
        if call == self.call { try FileManager.default.removeItem(atPath: path) }
    }

    func beforeNow(_ call: StoreCall) throws {}
    func registered(_ registration: any WorkerRegistration) {}
    func appended(_ events: [Event]) {}
}

/// The paths that the log names.
private final class Told: LogHandler, Sendable {
    let paths = Mutex<[String]>([])

    subscript(metadataKey _: String) -> Logger.MetadataValue? {
        get { nil }
        set {}  // nobody sets any
    }
    var metadata: Logger.Metadata {
        get { [:] }
        set {}  // nobody sets any
    }
    var logLevel: Logger.Level {
        get { .notice }
        set {}  // nobody sets it
    }

    func log(event: LogEvent) {
        if case .string(let path)? = event.metadata?["path"] { paths.withLock { $0.append(path) } }
    }
}
