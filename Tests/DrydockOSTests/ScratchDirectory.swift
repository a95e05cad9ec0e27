// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Foundation
import SystemPackage
import Testing

@testable import DrydockOS

/// A directory of one test's own, gone with its last reference.
final class ScratchDirectory: Sendable {
    let path: String

    init() throws {
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
    func open(_ name: String = "") throws -> DirectoryHandle {
        let full = path + "/" + name
        try FileManager.default.createDirectory(atPath: full, withIntermediateDirectories: true)
        return try DirectoryHandle(path: FilePath(full))
    }

    /// Runs a Python script in the directory; fails the test when it fails.
    func python(_ script: String) throws { try run("/usr/bin/python3", ["-c", script]) }

    func run(_ program: String, _ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: path)
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(program) \(arguments) failed")
    }

    func write(_ name: String, _ text: String) throws {
        let url = URL(fileURLWithPath: path + "/" + name)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(),
            withIntermediateDirectories: true
        )
        try text.write(to: url, atomically: false, encoding: .utf8)
    }

    func read(_ name: String) throws -> String {
        try String(contentsOfFile: path + "/" + name, encoding: .utf8)
    }
}
