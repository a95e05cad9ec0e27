// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockTestSupport
import FoundationEssentials
import Glibc
import Testing

@testable import DrydockEgress

/// A proxy with a host behind it that speaks TLS, and a secret for that host; asked by curl.
struct SecretFixture: Sendable {
    static let pair = "me:hunter22"
    /// As a host gets it.
    static let field = "Authorization: Basic bWU6aHVudGVyMjI="

    /// Named in the requests' addresses.
    let port: UInt16
    let proxy: ProxyFixture
    /// What the client is to trust: the sandbox's own authority, and whom the operator trusts.
    let trusted: String
    let operators: String

    /// The host is `good.example`; `other.example` leads there too, and has no secret.
    ///
    /// `vouched` is for whom the host has a certificate, `isKnown` whether the operator trusts who gave it.
    static func with<Result>(
        answer: TestHost.Answer = .http,
        vouched: String = "good.example",
        isKnown: Bool = true,
        isSecure: Bool = true,
        requests: SecretRequests = SecretRequests(),
        isInsecure: Bool = false,
        _ body: (SecretFixture) async throws -> Result
    ) async throws -> (Result, [NetworkUse]) {
        let authority = try TestAuthority(over: "good.example", "other.example", vouched)
        let known = isKnown ? authority : try TestAuthority(over: "good.example", "other.example", vouched)
        let folder = TestFolder.make()
        defer { folder.remove() }
        let roots = try known.write(to: folder, "roots.pem")
        var made = OpenedHosts.none
        func opened(_ port: UInt16) throws -> OpenedHosts {
            var secret = try HostSecret(try HostName("good.example"), port: port, .basic(pair))
            secret.requests = requests
            secret.isInsecure = isInsecure
            made = try OpenedHosts(secrets: [secret], for: .seconds(60), roots: roots)
            return made
        }
        return try await ProxyFixture.with(
            rules: ["other.example:PORT"],
            names: ["other.example": ["127.0.0.1"]],
            answer: answer,
            tls: isSecure ? try authority.server(for: vouched) : nil,
            opened: opened
        ) { proxy in
            let own = try folder.write(try made.certificate ?? "", "own.pem")
            return try await body(
                SecretFixture(port: proxy.host.port, proxy: proxy, trusted: own, operators: roots)
            )
        }
    }

    /// What curl prints of `https://good.example` and the path, with its words where it fails.
    func curl(_ path: String, _ arguments: [String] = [], scheme: String = "https") async throws -> String {
        try await TestProgram.run(
            "curl",
            [
                "-sS", "--path-as-is", "--max-time", "10", "--noproxy", "", "--proxy",
                "http://127.0.0.1:\(proxy.proxyPort)", "--cacert", trusted,
            ] + arguments + ["\(scheme)://good.example:\(port)\(path)"]
        )
    }
}

/// A folder for some small files.
struct TestFolder {
    let path: String

    static func make() -> TestFolder {
        let path = "/tmp/drydock-egress-test-\(UInt64.random(in: .min ... .max))"
        mkdir(path, 0o700)
        return TestFolder(path: path)
    }

    func write(_ text: String, _ name: String) throws -> String {
        try Data(text.utf8).write(to: URL(filePath: "\(path)/\(name)"))
        return "\(path)/\(name)"
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }
}
