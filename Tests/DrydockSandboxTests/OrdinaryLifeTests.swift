// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockSandbox
import FoundationEssentials
import Glibc
import SystemPackage
import Testing

extension SandboxTests {
    /// What programs expect of a machine, and find inside.
    @Suite struct OrdinaryLife {
        @Test("a program can ask how much memory it has, and sees no other group")
        func ownGroup() async throws {
            let bench = try Bench()
            let script = "cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes memory.max 2>/dev/null"
            let outcome = try await bench.shell(script, limits: Limits(memory: .mebibytes(256)))
            // At L3 there is no group, and a file of another would be a lie.
            let isLimited = outcome.capabilities?.limitsMemory == true
            #expect(outcome.output == (isLimited ? "268435456\n" : ""), "\(outcome.errors)")
            #expect(try await bench.shell("find /sys/fs/cgroup -mindepth 2 -type d | grep .").output == "")
        }

        struct Case: Decodable, CustomTestStringConvertible {
            var about: String
            /// Programs without which it can not be tried here.
            var needs: [String]
            var run: String
            var profile: SandboxProfile?
            /// Mebibytes.
            var memory: Int64?

            var testDescription: String { about }
        }

        private static let path = "/opt/swift/usr/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"

        private static func cases() throws -> [Case] {
            let file = FilePath("\(#filePath)").removingLastComponent().removingLastComponent()
                .appending("Fixtures/ordinary.json")
            let all = try JSONDecoder().decode(
                [Case].self,
                from: Data(contentsOf: URL(filePath: file.string))
            )
            return all.filter { example in
                example.needs.allSatisfy { name in
                    path.split(separator: ":").contains { access("\($0)/\(name)", X_OK) == 0 }
                }
            }
        }

        @Test(
            "tools do their work, and nothing of it is stopped that they would miss",
            arguments: try cases()
        )
        func works(example: Case) async throws {
            let bench = try Bench()
            var spec = bench.spec(
                ["sh", "-ec", example.run],
                limits: Limits(memory: .mebibytes(example.memory ?? 512))
            )
            spec.environment["PATH"] = Self.path
            spec.root = .hostToolchain(additional: ToolchainSettings.find())
            spec.profile = example.profile ?? .strict
            let outcome = try await bench.run(spec)
            let told = outcome.violations.map(\.words).joined(separator: "\n")
            #expect(
                outcome.report.verdict == .exit(0),
                "\(outcome.output.suffix(800)) \(outcome.errors.suffix(800)) \(told)"
            )
            #expect(outcome.violations.filter { !$0.isProbe }.isEmpty, "\(told)")
        }

        private static let hasJava =
            access("/usr/bin/java", X_OK) == 0
            && ToolchainSettings.find().contains { $0.hasPrefix("/etc/java-") }

        @Test("java starts, and takes its memory from the limit", .enabled(if: hasJava))
        func java() async throws {
            let bench = try Bench()
            let command = ["java", "-XX:+PrintFlagsFinal", "-version"]
            var spec = bench.spec(command, limits: Limits(memory: .mebibytes(512)))
            spec.root = .hostToolchain(additional: ToolchainSettings.find())
            let outcome = try await bench.run(spec)
            #expect(outcome.report.verdict == .exit(0), "\(outcome.output.suffix(500)) \(outcome.errors)")
            // With v1 a JVM wants to see four controllers, of which a sandbox has no group of its own in two.
            if outcome.capabilities?.limitsMemory == true
                && access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0
            {
                let heap = outcome.output.split(separator: "\n").first { $0.contains(" MaxHeapSize ") }
                #expect(heap?.contains(" 134217728 ") == true, "\(heap ?? "no heap")")
            }
        }
    }

    @Suite struct ToolchainSettingsChecks {
        /// `/etc` with one directory `java-9` that `script` fills; whether it is shown.
        private func isShown(_ script: String) throws -> Bool {
            let bench = try Bench()
            let directory = bench.directory.appending("etc").string
            let path = "\(directory)/java-9"
            let manager = FileManager.default
            try manager.createDirectory(atPath: path, withIntermediateDirectories: true)
            try manager.createDirectory(atPath: "\(directory)/other", withIntermediateDirectories: true)
            try Data("a".utf8).write(to: URL(filePath: "\(path)/conf"))
            #expect(chmod(path, 0o755) == 0 && chmod("\(path)/conf", 0o644) == 0)
            try bench.outside(script, in: path)
            let found = ToolchainSettings.find(in: directory, owner: geteuid())
            #expect(found.isEmpty || found == [path])
            return !found.isEmpty
        }

        @Test("a directory that everybody may read is shown", arguments: ["true", "mkdir d; ln -s x d/y"])
        func shown(script: String) throws { #expect(try isShown(script)) }

        @Test(
            "one with what not everybody may read, that others may write, or with a secret's name is not",
            arguments: [
                "chmod 700 .", "chmod 640 conf", "chmod 666 conf", "chmod 775 .", "mkdir private",
                "mkdir d; touch d/server.key", "touch shadow-", "mkfifo pipe", "mkdir -m 750 d",
                "touch id_rsa",
                "touch store.jks",
            ]
        )
        func hidden(script: String) throws { #expect(try !isShown(script)) }
    }
}
