// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Foundation
import SystemPackage
import Testing

@testable import DrydockOS

@Suite("Mounts of a program's own")
struct MountNamespaceTests {
    @Test("beside other threads, which would keep the machine's mounts, nothing is separated")
    func refusedBesideThreads() throws {
        let before = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/thread-self/ns/mnt")
        #expect(throws: Errno.invalidArgument) { try MountNamespace.separate() }
        let after = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/thread-self/ns/mnt")
        #expect(before == after)
    }
}
