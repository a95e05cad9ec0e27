// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Foundation
import Testing

/// Builds of different projects that need the same packages, in a network without a way out (egress-world.py,
/// test-indexes.py).
@Suite("egress, downloads that builds share", .timeLimit(.minutes(3)))
struct EgressCacheTests {
    private static let support = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(
        path: "Support"
    )

    private static let pip = """
        PYTHONUSERBASE=/tmp/u python3 -m pip install --quiet --user --break-system-packages drydock-first
        PYTHONUSERBASE=/tmp/u python3 -c 'import drydock_first as d; print(d.word)' > "$DRYDOCK_OUT/word"
        """
    private static let npm = """
        npm install --silent --no-audit --no-fund drydock-first
        node -e 'console.log(require("drydock-first"))' > "$DRYDOCK_OUT/word"
        """

    private static let maven = """
        cat > pom.xml <<'EOF'
        <project><modelVersion>4.0.0</modelVersion><groupId>t</groupId><artifactId>m</artifactId><version>1</version>
        <packaging>pom</packaging>
        <repositories><repository><id>central</id><url>https://index.test/maven/</url></repository></repositories>
        <pluginRepositories><pluginRepository><id>central</id><url>https://index.test/maven/</url></pluginRepository>
        </pluginRepositories>
        <build><extensions><extension><groupId>test.drydock</groupId><artifactId>drydock-first</artifactId>
        <version>1.0</version></extension></extensions></build></project>
        EOF
        mvn -q validate
        cp ~/.m2/repository/test/drydock/drydock-second/1.0/*.jar "$DRYDOCK_OUT/"
        """

    @Test(
        "the second build of the same dependencies does not leave the machine",
        arguments: [
            ("python3", "preset:pip", pip), ("npm", "preset:npm", npm), ("mvn", "preset:maven", maven),
        ]
    )
    func second(tool: String, network: String, script: String) async throws {
        guard geteuid() == 0, try Program.run("/bin/sh", ["-c", "command -v \(tool)"]).status == 0 else {
            return
        }
        try await withScratch { scratch in
            let finished = try build(scratch, network, script, cached: network)
            #expect(finished.status == 0, "\(finished)")
            let first = try scratch.read("requests-1").split(separator: "\n")
            let second = try scratch.read("requests-2").split(separator: "\n")
            #expect(first.count >= 4 && second.count == first.count, "\(first) \(second)")
            let lines = finished.out.split(separator: "\n").filter { $0.contains(": network: ") }
            #expect(lines.count == 2 && !lines[0].contains("(by index.test, from the cache)"), "\(lines)")
            #expect(lines.last?.contains("(by index.test, from the cache)") == true, "\(lines)")
        }
    }

    @Test("without a cache it asks for all of them again")
    func without() async throws {
        guard geteuid() == 0 else { return }
        try await withScratch { scratch in
            let finished = try build(scratch, "preset:pip", Self.pip, cached: "")
            #expect(finished.status == 0, "\(finished)")
            let first = try scratch.read("requests-1").split(separator: "\n")
            let second = try scratch.read("requests-2").split(separator: "\n")
            #expect(first.count >= 4 && second.count == 2 * first.count, "\(first) \(second)")
        }
    }

    /// Two builds, one after the other, of two projects with the same step; the requests so far are noted after each.
    private func build(
        _ scratch: Scratch,
        _ network: String,
        _ script: String,
        cached: String
    ) throws -> Finished {
        let indexes = Self.support.appending(path: "test-indexes.py").path
        try scratch.write("fine\n", to: "site/file.txt")
        #expect(try Program.run("/usr/bin/python3", [indexes, scratch.url("site").path]).status == 0)
        let lines = script.split(separator: "\n").map { "        " + $0 }.joined(separator: "\n")
        let project = """
            version: 1
            steps:
              - plugin: script
                network: ["\(network)"]
                with:
                  run: |
            \(lines)
            """
        for name in ["one", "two"] { try scratch.write(project, to: "\(name)/drydock.yaml") }
        let both = """
            export DRYDOCK_NETWORK_ROOTS="$WORLD_CA"
            '\(Program.drydock)' build --output plain one && cp requests requests-1 &&
            '\(Program.drydock)' build --output plain two && cp requests requests-2
            """
        return try Program.run(
            "/usr/bin/env",
            [
                "python3", Self.support.appending(path: "egress-world.py").path, scratch.url("site").path,
                "/bin/sh", "-c", both,
            ],
            environment: [
                "DRYDOCK_DATA": scratch.url("data").path,
                "DRYDOCK_NETWORK_MIRRORS": "pip=https://index.test/simple,npm=https://index.test/npm/,"
                    + "maven=https://index.test/maven/",
                "DRYDOCK_NETWORK_CACHE_HOSTS": cached,
                "DRYDOCK_NETWORK_CACHE_LIFETIME": "10m",
            ],
            in: scratch.folder
        )
    }
}
