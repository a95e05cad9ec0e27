// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockTestSupport
import FoundationEssentials
import NIOSSL
import Synchronization
import SystemPackage
import Testing

@testable import DrydockEgress

/// A host whose answers are kept, and the sandboxes that ask it by curl, each with a proxy of its own.
final class CacheFixture: Sendable {
    /// What the host answers to a path, and how often it was asked for each.
    final class Site: Sendable {
        private let answers = Mutex<[String: @Sendable (_ request: String) -> String]>([:])
        private let heard = Mutex<[String]>([])

        /// Sets what `path` is answered with: the head behind the version, an empty line, and the body.
        func set(_ path: String, _ answer: @escaping @Sendable (_ request: String) -> String) {
            answers.withLock { $0[path] = answer }
        }

        /// 200, with these fields.
        func set(_ path: String, _ fields: [String], _ body: String) {
            set(path) { _ in Self.ok(fields, body) }
        }

        static func ok(_ fields: [String], _ body: String) -> String {
            (["200 OK", "Content-Length: \(body.utf8.count)"] + fields).joined(separator: "\r\n") + "\r\n\r\n"
                + body
        }

        func answer(_ request: String) -> String {
            heard.withLock { $0.append(request) }
            let path = request.split(separator: " ").dropFirst().first.map(String.init) ?? ""
            let answer = answers.withLock { $0[path] }
            return "HTTP/1.1 " + (answer?(request) ?? "500 No such path\r\nContent-Length: 0\r\n\r\n")
        }

        /// Whole heads of all requests so far.
        var requests: [String] { heard.withLock(\.self) }
    }

    let site = Site()
    let folder = TestFolder.make()
    let cache: DownloadCache
    var path: FilePath { FilePath(folder.path).appending("cache") }
    private let authority: TestAuthority
    private let roots: String
    private let host: TestHost
    var port: UInt16 { host.port }

    private init(size: ByteCount) async throws {
        authority = try TestAuthority(over: "good.example")
        roots = try authority.write(to: folder, "roots.pem")
        cache = try DownloadCache(at: FilePath(folder.path).appending("cache"), size: size)
        let site = site
        host = try await TestHost.start(
            .pieces { [site.answer($0)] },
            try authority.server(for: "good.example")
        )
    }

    static func with(
        size: ByteCount = .mebibytes(64),
        _ body: (CacheFixture) async throws -> Void
    ) async throws {
        let fixture = try await CacheFixture(size: size)
        defer { fixture.folder.remove() }
        do {
            try await body(fixture)
        } catch {
            await fixture.host.stop()
            throw error
        }
        await fixture.host.stop()
    }

    /// A sandbox of its own, which may reach the host; returns what stands in its record.
    @discardableResult
    func sandbox(
        secret: HostSecret? = nil,
        isCached: Bool = true,
        limit: ByteCount = LimitBounds.network.upperBound,
        _ body: (_ curl: (_ path: String, _ arguments: [String]) async throws -> String) async throws -> Void
    ) async throws -> [NetworkUse] {
        let rule = try NetworkRule(parsing: "good.example:\(port)")
        let cached = isCached ? CachedHosts([rule], for: NetworkPolicy([rule]), in: cache) : nil
        let opened = try OpenedHosts(
            secrets: secret.map { [$0] } ?? [],
            cached: cached,
            for: .seconds(60),
            roots: roots
        )
        let trusted = try opened.certificate.map { try folder.write($0, "own.pem") } ?? roots
        let given: (UInt16) -> OpenedHosts = { _ in opened }
        let (_, uses) = try await ProxyFixture.with(
            rules: ["good.example:\(port)"],
            opened: given,
            limit: limit
        ) { proxy in
            try await body { path, arguments in
                try await TestProgram.run(
                    "curl",
                    [
                        "-sS", "--path-as-is", "--suppress-connect-headers", "--max-time", "20", "--proxy",
                        "http://127.0.0.1:\(proxy.proxyPort)", "--cacert", trusted,
                    ] + arguments + ["https://good.example:\(port)\(path)"]
                )
            }
        }
        return uses
    }

    /// What one request of a sandbox of its own prints.
    func curl(_ path: String, _ arguments: [String] = []) async throws -> String {
        var answer = ""
        try await sandbox { curl in answer = try await curl(path, arguments) }
        return answer
    }

    /// The files of what is kept, once there are `count`: they get their names when the client has its answer already.
    func files(_ count: Int) async throws -> [String] {
        for _ in 0..<500 {
            let names = try DirectoryHandle(path: path).sortedNames()
            if names.count == count, !names.contains(where: { $0.hasPrefix("new-") }) { return names }
            try await Task.sleep(for: .milliseconds(10))
        }
        return try DirectoryHandle(path: path).sortedNames()
    }

    /// Lets `seconds` pass for everything that is kept.
    func age(by seconds: Int64) throws {
        for name in try DirectoryHandle(path: path).sortedNames() {
            let file = try OwnedDescriptor(opening: path.appending(name), 0)
            try file.withDescriptor { file throws(Errno) in
                let time = try fileStatus(of: file).modified
                try FileContents.setModified(file, FileTime(seconds: time.seconds - seconds))
            }
        }
    }
}
