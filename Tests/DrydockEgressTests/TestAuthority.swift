// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
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
