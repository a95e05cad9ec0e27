// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Foundation
import Testing

/// Hosts that ask for a password, which no sandbox has (egress-world.py).
@Suite("secrets that the proxy adds, from inside a sandbox", .timeLimit(.minutes(3)))
struct EgressSecretTests {
    private static let world = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appending(path: "Support/egress-world.py").path

    /// Runs a line of shell in the world, whose servers have `locked/file.txt`; the secrets are those of `file`.
    private func inWorld(
        _ scratch: Scratch,
        secrets file: String,
        _ line: String,
        _ environment: [String: String] = [:]
    ) throws -> Finished {
        try scratch.write("fine\n", to: "site/locked/file.txt")
        try scratch.write(file, to: "secrets.yaml")
        try Program.shell("chmod 600 secrets.yaml && mkdir work", in: scratch.folder)
        let own = [
            "DRYDOCK_DATA": scratch.url("data").path, "DRYDOCK_SECRETS": scratch.url("secrets.yaml").path,
        ]
        return try Program.run(
            "/usr/bin/env",
            [
                "python3", Self.world, scratch.url("site").path, "/bin/sh", "-c",
                "export DRYDOCK_NETWORK_ROOTS=\"$WORLD_CA\"; " + line,
            ],
            environment: environment.merging(own) { $1 },
            in: scratch.url("work")
        )
    }

    /// Runs `script` in a sandbox that may reach `hosts`.
    private func run(
        _ scratch: Scratch,
        secrets file: String = Self.locked,
        hosts: [String] = ["index.test", "other.test"],
        options: [String] = [],
        _ script: String,
        _ environment: [String: String] = [:]
    ) throws -> Finished {
        let network = hosts.map { "--network '\($0)'" }.joined(separator: " ")
        let further = options.joined(separator: " ")
        let line = """
            '\(Program.drydock)' run \(network) \(further) --workspace . --limit total=60s -- sh -c "$SCRIPT"; status=$?
            ls /tmp | grep drydock-roots- >&2; exit $status
            """
        return try inWorld(scratch, secrets: file, line, environment.merging(["SCRIPT": script]) { $1 })
    }

    private static let locked = "- host: index.test\n  basic: me:hunter22\n"

    @Test(
        "real clients are let in without knowing the password",
        arguments: [
            "curl -fsS https://index.test/locked/file.txt",
            "curl -fsS --noproxy '*' https://index.test/locked/file.txt",
            "curl -fsS -u mine:own https://index.test/locked/file.txt",
            "wget -qO- --ca-certificate=$SSL_CERT_FILE https://index.test/locked/file.txt",
            "python3 -c 'import urllib.request as u; "
                + "print(u.urlopen(\"https://index.test/locked/file.txt\").read().decode(), end=\"\")'",
        ]
    )
    func clients(script: String) async throws {
        guard geteuid() == 0 else { return }  // needs a network and mounts of its own
        try await withScratch { scratch in
            let finished = try run(scratch, script)
            #expect(finished.status == 0 && finished.out == "fine\n" && finished.err.isEmpty, "\(finished)")
        }
    }

    @Test("Java is let in, too: its store has the authority", .enabled(if: EgressClientTests.hasJava))
    func java() async throws {
        guard geteuid() == 0 else { return }
        try await withScratch { scratch in
            let script = "echo '\(EgressClientTests.javaProgram)' > Get.java; java Get.java locked/file.txt"
            let finished = try run(scratch, options: EgressClientTests.javaSettings, script)
            #expect(finished.status == 0 && finished.out == "fine\n" && finished.err.isEmpty, "\(finished)")
        }
    }

    @Test(
        "the password is nowhere inside, whatever the host says; nor is the authority's key, or its file afterwards"
    )
    func nowhere() async throws {
        guard geteuid() == 0 else { return }
        try await withScratch { scratch in
            let script = """
                curl -sSi https://index.test/locked/say
                env; cat "$SSL_CERT_FILE"; cat /proc/mounts
                ls -l "$SSL_CERT_FILE"; echo x >> "$SSL_CERT_FILE"
                """
            let finished = try run(scratch, script)
            let said = finished.out + finished.err
            #expect(said.contains("you said Basic ****") && said.contains(" and mean me:********"), "\(said)")
            for word in ["hunter22", "bWU6aHVudGVyMjI", "PRIVATE KEY", "drydock-roots"] {
                #expect(!said.contains(word), "\(word): \(said)")
            }
            #expect(said.components(separatedBy: "BEGIN CERTIFICATE").count == 3)
            #expect(
                finished.err.contains("Read-only file system") || finished.err.contains("Permission denied")
            )
        }
    }

    @Test(
        "another host, another path and another way get none",
        arguments: [
            ("curl -sS https://other.test/locked/file.txt", "who are you?"),
            ("curl -sS http://index.test/locked/file.txt", "who are you?"),
            ("curl -sSL -u me:own https://index.test/redirect/other.test/locked/file.txt", "who are you?"),
            ("curl -sS -H 'Host: other.test' https://index.test/locked/file.txt", "names another"),
            ("curl -sS -X PUT -d x https://index.test/locked/file.txt", "its secret is not for"),
            ("curl -sS --path-as-is https://index.test/locked/../file.txt", "its secret is not for"),
            ("curl -sS https://index.test/file.txt", "its secret is not for"),
            (
                "curl -sS --cacert $(ls /etc/ssl/certs/*.pem | head -n 1) https://index.test/locked/",
                "SSL certificate"
            ),
        ]
    )
    func others(script: String, told: String) async throws {
        guard geteuid() == 0 else { return }
        try await withScratch { scratch in
            let secrets = Self.locked + "  paths: [/locked/*, /redirect/*]\n"
            let finished = try run(scratch, secrets: secrets, script)
            #expect((finished.out + finished.err).contains(told), "\(finished)")
            #expect(!finished.out.contains("fine"))
        }
    }

    @Test("git clones, and never pushes")
    func git() async throws {
        guard geteuid() == 0 else { return }
        try await withScratch { scratch in
            try Program.shell(
                """
                git init -q -b main source && cd source && echo fine > file.txt && git add . &&
                git -c user.name=a -c user.email=a@b.test commit -qm one &&
                git clone -q --bare . ../repositories/r.git
                """,
                in: scratch.folder
            )
            let script = """
                git clone -q https://index.test/git/r.git r && cd r && cat file.txt && git ls-remote -q origin >&2 &&
                git -c user.name=a -c user.email=a@b.test commit -q --allow-empty -m two && git push -q
                """
            let secrets = Self.locked + "  git: true\n  paths: [/git/*]\n"
            let finished = try run(scratch, secrets: secrets, script)
            #expect(finished.out == "fine\n" && finished.status != 0, "\(finished)")
            #expect(
                finished.err.contains("403") && finished.err.contains("its secret is not for"),
                "\(finished)"
            )
            let log = try Program.shell(
                "git -C repositories/r.git log --oneline main | wc -l",
                in: scratch.folder
            )
            #expect(log.contains("1"))
        }
    }

    @Test("pip installs from an index whose address holds a password, which it is not told")
    func pip() async throws {
        guard geteuid() == 0 else { return }
        try await withScratch { scratch in
            let wheel = """
                import zipfile
                with zipfile.ZipFile("tiny-1.0-py3-none-any.whl", "w") as z:
                    z.writestr("tiny.py", "print('fine')\\n")
                    z.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: tiny\\nVersion: 1.0\\n")
                    z.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
                    z.writestr("tiny-1.0.dist-info/RECORD", "")
                """
            try scratch.write(wheel, to: "site/locked/files/make.py")
            try Program.shell("cd site/locked/files && python3 make.py", in: scratch.folder)
            try scratch.write(
                "<a href='/locked/files/tiny-1.0-py3-none-any.whl'>tiny-1.0-py3-none-any.whl</a>",
                to: "site/locked/simple/tiny/index.html"
            )
            let finished = try run(
                scratch,
                secrets: "",
                hosts: ["preset:pip"],
                """
                python3 -m pip install --disable-pip-version-check -q --no-input --target t tiny >&2 &&
                PYTHONPATH=t python3 -m tiny && echo "$PIP_INDEX_URL"
                """,
                ["DRYDOCK_NETWORK_MIRRORS": "pip=https://me:hunter22@index.test/locked/simple"]
            )
            #expect(finished.out == "fine\nhttps://index.test/locked/simple\n", "\(finished)")
        }
    }

    @Test("a build's steps get the secrets of their project and step, and its record says so")
    func build() async throws {
        guard geteuid() == 0 else { return }
        try await withScratch { scratch in
            let fetch = "curl -sS -o /dev/null -w '%{http_code}' https://index.test/locked/file.txt"
            try scratch.write(
                """
                version: 1
                steps:
                  - id: fetch
                    plugin: script
                    network: [index.test]
                    with: { run: "\(fetch) > $DRYDOCK_OUT/one" }
                  - id: apart
                    plugin: script
                    needs: [fetch]
                    network: [index.test]
                    with: { run: "\(fetch.replacingOccurrences(of: "-sS", with: "-sSk")) > $DRYDOCK_OUT/two; cat $DRYDOCK_OUT/*" }
                """,
                to: "project/drydock.yaml"
            )
            let build = "'\(Program.drydock)' build --output json '\(scratch.url("project").path)'"
            // A directory that is built by hand is a project by its path.
            let own = scratch.url("project").path
            for (project, codes) in [(own, "200401"), (own + "2", "401401")] {
                let part = Self.locked + "  steps: [fetch]\n  projects: [\(project)]\n"
                let finished = try inWorld(
                    scratch,
                    secrets: part,
                    build,
                    ["DRYDOCK_NETWORK_ALLOW": "index.test"]
                )
                try Program.shell("rmdir work", in: scratch.folder)
                #expect(finished.status == 0 && finished.out.contains("\"\(codes)\""), "\(finished)")
                #expect(finished.out.contains("index.test, with a secret") == (project == own))
                #expect(!finished.out.contains("hunter22"))
            }
        }
    }

    @Test("roots that vouch for nobody are told before anything runs")
    func roots() async throws {
        try await withScratch { scratch in
            try scratch.write(Self.locked, to: "secrets.yaml")
            try scratch.write("nothing", to: "roots.pem")
            try Program.shell("chmod 600 secrets.yaml", in: scratch.folder)
            let finished = try Program.run(
                Program.drydock,
                ["run", "--", "true"],
                environment: [
                    "DRYDOCK_DATA": scratch.url("data").path,
                    "DRYDOCK_SECRETS": scratch.url("secrets.yaml").path,
                    "DRYDOCK_NETWORK_ROOTS": scratch.url("roots.pem").path,
                ]
            )
            #expect(finished.status == 64 && finished.err.contains("no list of certificates"), "\(finished)")
        }
    }

    @Test(
        "a file that others may read, or that says something else, is none",
        arguments: [0o640, 0o602, 0o600]
    )
    func mode(mode: Int) async throws {
        try await withScratch { scratch in
            try scratch.write("- host: index.test\n  bearer: hunter22\n  path: /x\n", to: "secrets.yaml")
            try Program.shell("chmod \(String(mode, radix: 8)) secrets.yaml", in: scratch.folder)
            for command in [["serve", "--listen", "127.0.0.1:0"], ["run", "--", "true"]] {
                let finished = try Program.run(
                    Program.drydock,
                    command,
                    environment: [
                        "DRYDOCK_DATA": scratch.url("data").path,
                        "DRYDOCK_SECRETS": scratch.url("secrets.yaml").path,
                    ]
                )
                let words = mode == 0o600 ? "secrets.yaml:3: " : "others may read or change it"
                #expect(finished.status == 64 && finished.err.contains(words), "\(finished)")
                #expect(!finished.err.contains("hunter22"))
            }
        }
    }
}
