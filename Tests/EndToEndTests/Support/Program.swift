// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Foundation
import Testing

/// A program that ran to its end.
struct Finished: Sendable {
    let status: Int32
    let out: String
    let err: String
}

/// Runs programs to their end, as a user's shell does.
enum Program {
    /// The repository's root.
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// The built `drydock`.
    static let drydock = root.appending(path: ".build/debug/drydock").path

    /// Runs `path` with `arguments` and waits for it.
    ///
    /// Output goes through files, so that nothing blocks on a full pipe.
    static func run(
        _ path: String,
        _ arguments: [String],
        environment: [String: String] = [:],
        in folder: URL? = nil
    ) throws -> Finished {
        let scratch = try Scratch()
        defer { scratch.remove() }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
        process.currentDirectoryURL = folder
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try scratch.newFile("out")
        process.standardError = try scratch.newFile("err")
        try process.run()
        process.waitUntilExit()
        return Finished(
            status: process.terminationReason == .exit
                ? process.terminationStatus : 128 + process.terminationStatus,
            out: String(decoding: try Data(contentsOf: scratch.url("out")), as: UTF8.self),
            err: String(decoding: try Data(contentsOf: scratch.url("err")), as: UTF8.self)
        )
    }

    /// Runs `drydock` with a data directory of its own below `scratch`.
    static func drydock(_ scratch: Scratch, _ arguments: String...) throws -> Finished {
        try run(drydock, arguments, environment: ["DRYDOCK_DATA": scratch.url("data").path])
    }

    /// Builds a project that is nothing but `yaml`.
    static func build(_ scratch: Scratch, yaml: String, _ more: String...) throws -> Finished {
        try scratch.write(yaml, to: "project/drydock.yaml")
        return try run(
            drydock,
            ["build", scratch.url("project").path, "--output", "plain"] + more,
            environment: ["DRYDOCK_DATA": scratch.url("data").path]
        )
    }

    /// Runs a line of shell; a test that needs its effect fails when it does.
    @discardableResult
    static func shell(_ line: String, in folder: URL? = nil) throws -> String {
        let finished = try run("/bin/sh", ["-c", line], in: folder)
        try #require(finished.status == 0, "\(line): \(finished.err)")
        return finished.out
    }
}

/// A directory of one test, gone afterwards.
struct Scratch: Sendable {
    let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(
            path: "drydock-e2e-\(UUID().uuidString.prefix(8))"
        )
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    func url(_ name: String) -> URL { folder.appending(path: name) }

    func newFile(_ name: String) throws -> FileHandle {
        try Data().write(to: url(name))
        return try FileHandle(forWritingTo: url(name))
    }

    /// Writes `text` to `name`, making its parents.
    @discardableResult
    func write(_ text: String, to name: String) throws -> URL {
        let file = url(name)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(),
            withIntermediateDirectories: true
        )
        try text.write(to: file, atomically: true, encoding: .utf8)
        return file
    }

    func read(_ name: String) throws -> String { try String(contentsOf: url(name), encoding: .utf8) }

    func remove() { try? FileManager.default.removeItem(at: folder) }
}

/// Gives `body` a directory and removes it, also when the test throws.
func withScratch<Result>(_ body: (Scratch) async throws -> Result) async throws -> Result {
    let scratch = try Scratch()
    defer { scratch.remove() }
    return try await body(scratch)
}
