// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Foundation
import Testing

/// Git sources, fetched in a sandbox from a server of a world of its own (egress-world.py).
@Suite("git sources, in a sandbox", .timeLimit(.minutes(2)))
struct GitFetchTests {
    private static let world = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appending(path: "Support/egress-world.py").path

    /// What becomes of a build of `url`, as its page of the API says, and what the servers were asked.
    private func build(
        _ scratch: Scratch,
        _ url: String,
        _ environment: [String: String] = [:]
    ) throws -> (build: String, log: String, requests: String) {
        try scratch.write(
            """
            set -e
            mkdir -p repo && cd repo && git init -q -b main . && printf 'all:\\n\\techo made > it\\ninstall: all\\n' > Makefile
            printf 'version: 1\\nsteps: [{ plugin: script, with: { run: "cat f; ls -a" } }]\\n' > drydock.yaml
            echo fetched > f; git add -A; git -c user.name=t -c user.email=t@example.org commit -qm one; cd ..
            mkdir -p site/open repositories && git clone -q --bare repo site/open/repo.git
            git clone -q --bare repo repositories/closed.git
            printf -- '- { host: index.test, basic: "me:hunter22", git: true, paths: ["/git/*"] }\\n' > secrets; chmod 600 secrets
            """,
            to: "make-repository"
        )
        try Program.shell("sh make-repository", in: scratch.folder)
        let line = """
            '\(Program.drydock)' serve --listen 127.0.0.1:18999 2>serve.log & server=$!
            at=http://127.0.0.1:18999/api/v1
            curl -fsS -o /dev/null --retry 50 --retry-connrefused --retry-delay 1 $at/builds || cat serve.log >&2
            id=$(curl -sS -H 'Content-Type: application/json' -d '{"source":{"git":{"url":"\(url)"}}}' $at/builds \
                | tee answer | sed -n 's/.*"id":"\\([^"]*\\)".*/\\1/p')
            for try in $(seq 300); do
                curl -sS $at/builds/$id > build; grep -q '"finished_at":' build && break; sleep 0.1
            done
            cat build; cat data/segments/$id/*.ndjson > log
            kill $server; wait $server
            """
        let finished = try Program.run(
            "/usr/bin/env",
            ["python3", Self.world, scratch.url("site").path, "/bin/sh", "-c", line],
            environment: [
                "DRYDOCK_DATA": scratch.url("data").path, "DRYDOCK_SOURCES_GIT": "index.test,evil.test",
            ].merging(environment) { _, new in new },
            in: scratch.folder
        )
        return (
            finished.out + finished.err, (try? scratch.read("log")) ?? "",
            (try? scratch.read("requests")) ?? ""
        )
    }

    @Test("a repository's files come without git's own, and the host stands in the record")
    func fetched() async throws {
        guard geteuid() == 0 else { return }  // needs a network and mounts of its own
        try await withScratch { scratch in
            // The world's authority is the operator's.
            let roots = ["DRYDOCK_NETWORK_ROOTS": scratch.url("ca.pem").path]
            let (build, log, requests) = try build(scratch, "https://index.test/open/repo.git", roots)
            #expect(build.contains(#""state":"succeeded""#), "\(build)")
            #expect(
                log.contains("fetched") && log.contains("git commit ") && !log.contains(#"".git""#),
                "\(log)"
            )
            #expect(log.contains(#""kind":"network","v":1,"via":"host","host":"index.test""#), "\(log)")
            #expect(requests.contains("index.test /open/repo.git/git-upload-pack"), "\(requests)")
        }
    }

    @Test("a repository that asks who it is gets the operator's secret, and nobody sees it")
    func closed() async throws {
        guard geteuid() == 0 else { return }
        try await withScratch { scratch in
            let settings = [
                "DRYDOCK_NETWORK_ROOTS": scratch.url("ca.pem").path,
                "DRYDOCK_SECRETS": scratch.url("secrets").path,
            ]
            let (build, log, requests) = try build(scratch, "https://index.test/git/closed.git", settings)
            #expect(build.contains(#""state":"succeeded""#), "\(build)\n\(log)")
            #expect(log.contains("fetched") && log.contains("index.test, with a secret"), "\(log)")
            #expect(!(build + log).contains("hunter22"))
            #expect(requests.contains("index.test /git/closed.git/git-upload-pack"), "\(requests)")
        }
        // Without it there is no way in.
        try await withScratch { scratch in
            let settings = ["DRYDOCK_NETWORK_ROOTS": scratch.url("ca.pem").path]
            let (build, _, _) = try build(scratch, "https://index.test/git/closed.git", settings)
            #expect(build.contains(#""state":"failed""#), "\(build)")
        }
    }

    @Test(
        "what the repository's host is, and where it leads, is checked as for any step",
        arguments: [
            ("https://index.test/redirect/evil.test/open/repo.git", "git fetch failed"),
            ("https://metadata.test/open/repo.git", "cloning from 'metadata.test' is not allowed here"),
            ("https://index.test/open/none.git", "git fetch failed"),
        ]
    )
    func refused(url: String, told: String) async throws {
        guard geteuid() == 0 else { return }
        try await withScratch { scratch in
            let roots = ["DRYDOCK_NETWORK_ROOTS": scratch.url("ca.pem").path]
            let (build, log, requests) = try build(scratch, url, roots)
            #expect(build.contains(#""state":"failed""#) && (build + log).contains(told), "\(build)\n\(log)")
            #expect(!requests.contains("\nevil.test") && !requests.hasPrefix("evil.test"), "\(requests)")
        }
    }
}
