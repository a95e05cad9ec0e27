// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import NIOSSL

@testable import DrydockEgress

/// Whom a test's host has its certificate from.
struct TestAuthority {
    private let authority: SandboxAuthority

    /// It may vouch for `names`.
    init(over names: String...) throws {
        authority = try SandboxAuthority(over: names.map { try HostName($0) }, for: .seconds(60))
    }

    /// TLS of a host with a certificate of `name`, whether it may vouch for that or not.
    func server(for name: String) throws -> NIOSSLContext { try authority.server(for: try HostName(name)) }

    /// The path of a file with its certificate.
    func write(to folder: TestFolder, _ name: String) throws -> String {
        try folder.write(try authority.pem, name)
    }
}

/// A program of this machine, as a client in tests.
enum TestProgram {
    /// Everything that it says, with nothing to read.
    static func run(_ name: String, _ arguments: [String]) async throws -> String {
        try await Blocking.run {
            Result {
                let ended = try HostCommand(
                    "/bin/sh",
                    ["sh", "-c", "exec \"$@\" 2>&1 </dev/null", "sh", name] + arguments,
                    environment: ["PATH=/usr/bin:/bin"],
                    deadline: .now + .seconds(15),
                    longestOutput: 1 << 20
                ).run()
                return String(decoding: ended.output, as: UTF8.self)
            }
        }.get()
    }
}
