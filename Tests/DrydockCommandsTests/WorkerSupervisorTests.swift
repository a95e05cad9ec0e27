// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockOS
import Foundation
import Logging
import SystemPackage
import Testing

@testable import DrydockCommands

@Suite("Keeping the worker")
struct WorkerSupervisorTests {
    @Test("a lock that can not be looked at is no sign that the worker hangs, for however long")
    func blind() throws {
        let folder = FilePath(FileManager.default.temporaryDirectory.path).appending("drydock-lock-\(UUID())")
        try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder.string) }
        // A link: opening it fails as it does where no descriptor is left.
        let path = folder.appending("worker.lock")
        try FileManager.default.createSymbolicLink(atPath: path.string, withDestinationPath: "elsewhere")
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let supervisor = WorkerSupervisor(
            start: WorkerStart(program: "/bin/true", arguments: [], environment: [], files: []),
            lock: path,
            logger: logger,
            listening: AsyncStream { $0.finish() }
        )
        let start = SuspendingClock.now
        for second in 0..<60 { #expect(supervisor.look(start + .seconds(second)) == nil) }
        try FileManager.default.removeItem(atPath: path.string)
        let lock = try #require(try LivenessLock.take(path))
        let look = try #require(supervisor.look(start + .seconds(60)))
        #expect(look.0 != .free && look.1 == .fine && supervisor.health == .works)
        withExtendedLifetime(lock) {}
    }
}
