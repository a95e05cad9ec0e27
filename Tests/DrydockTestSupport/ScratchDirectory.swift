// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockOS
import Foundation
import SystemPackage

/// A directory of one test's own, gone with its last reference.
package final class ScratchDirectory: Sendable {
    package let path: String

    package init() throws {
        path = NSTemporaryDirectory() + "drydock-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        // Tests make trees that FileManager can not remove.
        if let parent = try? DirectoryHandle(path: FilePath(NSTemporaryDirectory())) {
            try? TreeRemover.remove(path.split(separator: "/").last.map(String.init) ?? "", in: parent)
        }
    }

    /// The directory, opened; `name` is made where it is not there.
    package func open(_ name: String = "") throws -> DirectoryHandle {
        let full = path + "/" + name
        try FileManager.default.createDirectory(atPath: full, withIntermediateDirectories: true)
        return try DirectoryHandle(path: FilePath(full))
    }

    /// Runs a Python script in the directory; throws when it fails.
    package func python(_ script: String) throws { try run("/usr/bin/python3", ["-c", script]) }

    package func run(_ program: String, _ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: path)
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw ScriptProblem("\(program) \(arguments) failed")
        }
    }

    package func write(_ name: String, _ text: String) throws {
        let url = URL(fileURLWithPath: path + "/" + name)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(),
            withIntermediateDirectories: true
        )
        try text.write(to: url, atomically: false, encoding: .utf8)
    }

    package func read(_ name: String) throws -> String {
        try String(contentsOfFile: path + "/" + name, encoding: .utf8)
    }
}
