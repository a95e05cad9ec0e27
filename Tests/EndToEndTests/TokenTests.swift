// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Foundation
import Testing

@Suite("tokens and audit on the command line", .timeLimit(.minutes(3)))
struct TokenTests {
    private func secret(_ scratch: Scratch, _ name: String, _ more: String...) throws -> String {
        let made = try Program.run(
            Program.drydock,
            ["token", "create", name] + more,
            environment: ["DRYDOCK_DATA": scratch.url("data").path]
        )
        try #require(made.status == 0, "\(made)")
        return made.out.trimmingCharacters(in: .newlines)
    }

    @Test("a token is printed once, opens a server that runs already, and is worth nothing once revoked")
    func life() async throws {
        try await withScratch { scratch in
            try withServer(scratch) { server in
                let builds = "/api/v1/builds"
                #expect(try server.request(builds).status == 200)
                let secret = try secret(scratch, "ci", "--expires", "90d")
                #expect(secret.wholeMatch(of: /drydock_[0-9a-z]{40}/) != nil, "\(secret)")
                let header = "Authorization: Bearer \(secret)"
                #expect(try server.request(builds).status == 401)
                #expect(try server.request(builds, "--header", header).status == 200)
                let reader = "Authorization: Bearer \(try self.secret(scratch, "reader", "--scope", "read"))"
                let refused = try server.request(builds + "/b_1", "--request", "DELETE", "--header", reader)
                #expect(refused.status == 403 && refused.text.contains("scope_missing"), "\(refused)")

                let list = try Program.drydock(scratch, "token", "list")
                #expect(list.out.contains("ci ") && list.out.contains("until 20"), "\(list)")
                #expect(try Program.drydock(scratch, "token", "revoke", "ci").status == 0)
                #expect(try server.request(builds, "--header", header).status == 401)
                #expect(try Program.drydock(scratch, "token", "list").out.contains("revoked"))

                let audit = try Program.drydock(scratch, "audit").out
                #expect(
                    audit.contains("reader from 127.0.0.1") && audit.contains("403 scope_missing"),
                    "\(audit)"
                )
                let limited = try Program.drydock(scratch, "audit", "--limit", "1", "--json").out
                #expect(limited.contains("revokeToken") && !limited.contains("createToken"), "\(limited)")
                // Nowhere, in no file: only the digest.
                let found = try Program.shell(
                    "grep -rlF '\(secret.dropFirst(8))' '\(scratch.folder.path)' || true"
                )
                #expect(found == "", "\(found)")
            }
        }
    }

    @Test("what is no token, and what there is already, is refused with what to do")
    func refused() async throws {
        try await withScratch { scratch in
            _ = try secret(scratch, "ci")
            for (arguments, why) in [
                (["create", "ci"], "there is, or was, a token named ci"), (["create", "CI"], "CI"),
                (["create", "x", "--scope", "write"], "write"),
                (["create", "x", "--expires", "soon"], "no time"),
                (["revoke", "cj"], "did you mean 'ci'?"),
            ] {
                let refused = try Program.run(
                    Program.drydock,
                    ["token"] + arguments,
                    environment: ["DRYDOCK_DATA": scratch.url("data").path]
                )
                #expect(refused.status == 64 && refused.err.contains(why), "\(arguments) \(refused)")
            }
        }
    }

    @Test("a server that others can reach needs a token that is valid, of the file or of the store")
    func reachable() async throws {
        try await withScratch { scratch in
            func serve() throws -> Finished {
                // The address is nobody's: it gets as far as listening, and no further.
                try Program.drydock(scratch, "serve", "--listen", "192.0.2.1:1")
            }
            #expect(try serve().err.contains("no valid token"))
            _ = try secret(scratch, "ci")
            #expect(try serve().err.contains("can not listen on 192.0.2.1"))
            _ = try Program.drydock(scratch, "token", "revoke", "ci")
            let refused = try serve()
            #expect(refused.status == 64 && refused.err.contains("drydock token create"), "\(refused)")
        }
    }
}
