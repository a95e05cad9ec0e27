// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Foundation
import Testing

@testable import DrydockConfig

@Suite("The operator's configuration")
struct ServerConfigurationTests {
    private func load(
        _ yaml: String,
        environment: [String: String] = [:],
        flags: [(key: String, value: String)] = []
    ) throws(Failure) -> ServerConfiguration {
        try ServerConfiguration(
            file: ("config.yaml", Array(yaml.utf8)),
            environment: environment,
            flags: flags
        )
    }

    @Test("file, environment and flags win in this order")
    func layers() throws {
        let yaml = "listen: 127.0.0.1:1\nslots: 3\nlimits: { memory: 1GiB, cpus: 1.5 }\n"
        let file = try load(yaml)
        #expect(file.listen == "127.0.0.1:1" && file.slots == 3 && file.policy.limits.cpus == 1.5)
        let environment = ["DRYDOCK_SLOTS": "4", "DRYDOCK_LIMITS_MEMORY": "2GiB", "DRYDOCK_ORIGINS": "a,b"]
        let both = try load(yaml, environment: environment)
        #expect(both.slots == 4 && both.policy.limits.memory == .gibibytes(2) && both.origins == ["a", "b"])
        let all = try load(yaml, environment: environment, flags: [("slots", "5")])
        #expect(all.slots == 5 && all.listen == "127.0.0.1:1")
    }

    @Test("the limits of the queue")
    func queue() throws {
        let queue = try load("queue: { all: 9, per_token: 5, per_session: 2 }\n").queue
        #expect(queue.all == 9 && queue.perToken == 5 && queue.perSession == 2)
    }

    @Test("an empty file means the defaults", arguments: ["", "# nothing\n", "---\n"])
    func empty(yaml: String) throws {
        #expect(try load(yaml) == ServerConfiguration())
    }

    @Test(
        "mistakes are told with line and remedy",
        arguments: [
            ("lisen: x\n", 1, "config.yaml has no key 'lisen'", "did you mean 'listen'?"),
            ("\nlimits:\n  memroy: 1GiB\n", 3, "'limits' has no key 'memroy'", "did you mean 'memory'?"),
            (
                "listen: nowhere\n", 1, "'listen' can not be 'nowhere'",
                "write HOST:PORT, such as 127.0.0.1:8080"
            ),
            ("slots: many\n", 1, "'slots' must be a whole number, not text", nil),
            ("slots: 0\n", 1, "'slots' must lie between 1 and 1024, not be 0", nil),
            ("minimum_level: L5\n", 1, "'minimum_level' can not be 'L5'", "did you mean 'L4'?"),
            (
                "limits: { memory: 1B }\n", 1,
                "'limits.memory' must lie between 4MiB and 1024TiB, not be 1B", nil
            ),
            ("limits: { log: 1GiB }\n", 1, "'limits.log' must be 256MiB at most", nil),
            ("toolchain: [opt]\n", 1, "'toolchain' has 'opt', which is no absolute path", "begin it with /"),
            ("plugins: /x\n", 1, "'plugins' must be a list, not text", nil),
            (
                "network:\n  allow: [preset:pip]\n", 2,
                "'network.allow' has 'preset:pip', which can only be asked for",
                "grant it with network.presets: [pip]"
            ),
            (
                "network: { presets: [Pip] }\n", 1, "'network.presets[0]': 'Pip' is no preset's name",
                "a name has small letters, digits and -, a letter first, at most 40"
            ),
            (
                "network: { mirrors: [pip] }\n", 1, "'network.mirrors' has 'pip', which has no =",
                "write TOOL=URL, such as pip=https://index.example.org/simple"
            ),
            (
                "network: { mirrors: ['pip=index.example.org'] }\n", 1,
                "'network.mirrors' has for pip: the address is not one of https or http",
                "write it whole, such as https://index.example.org/simple"
            ),
            (
                "network: { proxy: 'https://proxy.example.org:3128' }\n", 1,
                "'network.proxy' is not the address of a proxy", "write http://HOST:PORT"
            ),
            ("tls: { certificate: c.pem }\n", 1, "'tls.certificate' is no absolute path", nil),
            ("tls:\n  certificate: /c.pem\n  key: k.pem\n", 3, "'tls.key' is no absolute path", nil),
            (
                "\ntls: { cert: /c.pem }\n", 2, "'tls' has no key 'cert'",
                "the keys here are certificate, key"
            ),
            ("tls: /c.pem\n", 1, "'tls' must be a table with the keys certificate, key, not text", nil),
            (
                "connections: { per_address: 0 }\n", 1,
                "'connections.per_address' must lie between 1 and 1000000, not be 0", nil
            ),
            (
                "connections:\n  per_token: many\n", 2,
                "'connections.per_token' must be a whole number, not text", nil
            ),
            (
                "connections: { per_tokens: 1 }\n", 1, "'connections' has no key 'per_tokens'",
                "did you mean 'per_token'?"
            ),
            ("trusted_proxies: 127.0.0.1\n", 1, "'trusted_proxies' must be a list, not text", nil),
            (
                "slots: 1\ntrusted_proxies: [127.0.0.1, 10.0.0.1/8]\n", 2,
                "'trusted_proxies' has '10.0.0.1/8', which is no address and no range of addresses",
                "write 127.0.0.1, 10.1.0.0/16 or 2001:db8::/32; bits behind the prefix must be 0"
            ),
            ("network: { roots: roots.pem }\n", 1, "'network.roots' is no absolute path", nil),
            (
                "slots: 1\nsecrets: x\n", 2, "'secrets' is no absolute path", nil
            ),
            (
                "uids:\n  count: 70000\n", 2, "'uids.count' is not supported yet",
                "leave it out; as root, sandboxes belong to user 101000"
            ),
        ] as [(String, Int, String, String?)]
    )
    func mistakes(yaml: String, line: Int, message: String, hint: String?) {
        #expect(
            throws: Failure(.configInvalid, .user, message, hint: hint, file: "config.yaml", line: line)
        ) { try load(yaml) }
    }

    @Test("a wrong variable or flag is told by its name")
    func wrongVariable() {
        #expect(
            throws: Failure(
                .configInvalid,
                .user,
                "'slots' must be a whole number, not text",
                file: "DRYDOCK_SLOTS"
            )
        ) { try load("", environment: ["DRYDOCK_SLOTS": "x"]) }
        #expect { try load("", flags: [("slot", "3")]) } throws: { error in
            (error as? Failure)?.hint == "did you mean 'slots'?"
        }
    }

    @Test("docs/configuration.md names every key, its variable and its kind")
    func documented() throws {
        let docs = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("docs/configuration.md")
        let text = try String(contentsOf: docs, encoding: .utf8)
        for setting in Setting.all {
            #expect(text.contains("| `\(setting.key)` | `\(setting.variable)` | \(setting.kind.rawValue) |"))
        }
        #expect(text.split(separator: "\n").count { $0.hasPrefix("| `") } == Setting.all.count)
    }

    @Test("every key that a message names is one that there is")
    func namedKeys() throws {
        let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Sources")
        let known = Set(Setting.all.map(\.key) + ["preview.root", "preview.start"])
        let literal = try Regex(#""(?:[^"\\]|\\.)*""#, as: Substring.self)
        let key = try Regex(#"\b(?:limits|sources|preview|uids)\.[a-z_]+\b"#, as: Substring.self)
        var found: Set<String> = []
        let files = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
        for case let file as URL in files
        where file.pathExtension == "swift" {
            for text in try String(contentsOf: file, encoding: .utf8).matches(of: literal) {
                found.formUnion(text.output.matches(of: key).map { String($0.output) })
            }
        }
        #expect(found.count > 5)
        #expect(found.subtracting(known).isEmpty, "\(found.subtracting(known))")
    }
}
