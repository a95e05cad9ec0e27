// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Foundation
import Testing

/// A `drydock serve` on a free loopback port, with a data directory below a test's own.
final class RunningServer {
    let address: String
    private let process: Process

    /// Starts it and returns once it prints its address.
    init(
        _ scratch: Scratch,
        arguments: [String] = [],
        data: String = "data",
        environment: [String: String] = [:]
    ) throws {
        process = Process()
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
        process.executableURL = URL(fileURLWithPath: Program.drydock)
        process.arguments =
            ["serve", "--listen", "127.0.0.1:0", "--data", scratch.url(data).path] + arguments
        let out = Pipe()
        process.standardOutput = out
        let name = "serve-\(UUID().uuidString.prefix(4)).err"
        process.standardError = try scratch.newFile(name)
        try process.run()
        var text = ""
        while !text.contains("\n") || !text.contains("http://") {
            let chunk = out.fileHandleForReading.availableData
            if chunk.isEmpty { break }
            text += String(decoding: chunk, as: UTF8.self)
        }
        let found = text.firstMatch(of: /http:\/\/127\.0\.0\.1:\d+/)
        let log = try scratch.read(name)
        address = String(try #require(found, "no address in: \(text) \(log)").output)
    }

    var pid: Int32 { process.processIdentifier }

    /// Ends it as an operator does, and its worker with it.
    func stop() {
        process.terminate()
        process.waitUntilExit()
    }

    /// kill -9: the worker goes on.
    func kill() {
        Glibc.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    // MARK: Requests, by curl: a client that is not ours

    /// What a request was answered with.
    struct Reply {
        let status: Int
        let text: String

        var json: [String: Any] {
            (try? JSONSerialization.jsonObject(with: Data(text.utf8))) as? [String: Any] ?? [:]
        }
    }

    func request(_ path: String, _ curl: String...) throws -> Reply {
        let finished = try Program.run(
            "/usr/bin/curl",
            ["--silent", "--show-error", "--max-time", "120", "--write-out", "\n%{http_code}"] + curl + [
                address + path
            ]
        )
        try #require(finished.status == 0, "curl \(path): \(finished.err)")
        let lines = finished.out.split(separator: "\n", omittingEmptySubsequences: false)
        return Reply(
            status: Int(lines.last ?? "") ?? 0,
            text: lines.dropLast().joined(separator: "\n")
        )
    }

    /// Uploads `archive` and returns the answer.
    func post(_ archive: URL, session: String = "test") throws -> Reply {
        try request(
            "/api/v1/builds?session_id=\(session)",
            "--request",
            "POST",
            "--header",
            "Content-Type: application/octet-stream",
            "--data-binary",
            "@\(archive.path)"
        )
    }

    /// Uploads `archive`, follows its events to the end and returns the build as the API shows it then.
    func build(_ archive: URL, session: String = "test") throws -> [String: Any] {
        let reply = try post(archive, session: session)
        try #require(reply.status == 202, "\(reply.status) \(reply.text)")
        let id = try #require(reply.json["id"] as? String)
        return try ended(id)
    }

    /// Waits for a build's end by following its events, as a client would.
    func ended(_ id: String) throws -> [String: Any] {
        _ = try request("/api/v1/builds/\(id)/events")
        return try request("/api/v1/builds/\(id)").json
    }
}

/// Starts a server for `body` and stops it afterwards, also when the test throws.
func withServer<Result>(
    _ scratch: Scratch,
    arguments: [String] = [],
    environment: [String: String] = [:],
    _ body: (RunningServer) throws -> Result
) throws -> Result {
    let server = try RunningServer(scratch, arguments: arguments, environment: environment)
    defer { server.stop() }
    return try body(server)
}
