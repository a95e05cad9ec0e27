// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Foundation
import Testing

/// The tools that builds fetch with, against indexes of our own over TLS, in a network without a way out
/// (egress-world.py, test-indexes.py).
@Suite("egress, by the tools that builds fetch with", .timeLimit(.minutes(3)))
struct EgressClientTests {
    static let support = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(
        path: "Support"
    )

    /// What shows the tools inside; nil where this machine lacks one of them.
    ///
    /// One that is not where sandboxes see it anyway is shown with what is around it.
    private static func shown(_ tools: String) throws -> [String]? {
        var all: [String] = []
        for tool in tools.split(separator: " ") {
            guard let one = try shown(one: String(tool)) else { return nil }
            all += one
        }
        guard ["java", "mvn", "gradle"].contains(tools) else { return all }
        return hasJava ? all + javaSettings : nil
    }

    /// Whether there is a Java whose store is at the machine's place.
    static let hasJava =
        access("/usr/bin/java", X_OK) == 0 && access("/etc/ssl/certs/java/cacerts", R_OK) == 0

    /// What shows inside what Debian's Java and its tools keep in `/etc`: `run` shows none of it by itself.
    static let javaSettings: [String] = {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/etc")) ?? []
        return names.filter { $0 == "maven" || $0 == "gradle" || $0.hasPrefix("java-") }
            .flatMap { ["--read-only", "/etc/\($0)"] }
    }()

    /// A program that prints what index.test has, in a file of its own.
    static let javaProgram = """
        class Get {
            public static void main(String[] path) throws Exception {
                java.net.URI.create("https://index.test/" + path[0]).toURL().openStream().transferTo(System.out);
            }
        }
        """

    private static func shown(one tool: String) throws -> [String]? {
        let found = try Program.run("/bin/sh", ["-c", "realpath \"$(command -v \(tool))\""])
        let path = found.out.split(separator: "\n").first.map(String.init) ?? ""
        if path.isEmpty { return nil }
        if path.hasPrefix("/usr/") || path.hasPrefix("/opt/") { return [] }
        let bin = URL(fileURLWithPath: path).deletingLastPathComponent()
        // What stands for many tools (rustup, pyenv) finds none of them inside.
        guard path.hasSuffix("/bin/\(tool)") else { return nil }
        return [
            "--read-only", bin.deletingLastPathComponent().path, "--env", "PATH=\(bin.path):/usr/bin:/bin",
        ]
    }

    /// Each prints `fine` at the end; the first is what it needs.
    static let clients: [(tool: String, network: String, script: String)] = [
        (
            "python3", "preset:pip",
            """
            python3 -m venv --without-pip /tmp/v && PYTHONUSERBASE=/tmp/u python3 -m pip install --quiet --user \
            --break-system-packages drydock-first >&2 && PYTHONUSERBASE=/tmp/u python3 -c 'import drydock_first as d; print(d.word)'
            """
        ),
        (
            "python3", "index.test",
            "python3 -c 'from pip._vendor import requests; print(requests.get(\"https://index.test/file.txt\").text, end=\"\")'"
        ),
        (
            "npm", "preset:npm",
            "npm install --silent --no-audit --no-fund drydock-first >&2 && node -e 'console.log(require(\"drydock-first\"))'"
        ),
        (
            "node", "index.test",
            "node -e 'require(\"https\").get(\"https://index.test/file.txt\", a => a.pipe(process.stdout))'"
        ),
        (
            "git", "index.test",
            "git clone -q https://index.test/open/repo.git /tmp/r >&2 && cat /tmp/r/file.txt"
        ),
        (
            "go", "index.test",
            """
            printf 'package main\nimport ("io"; "net/http"; "os")\nfunc main() { a, e := http.Get("https://index.test/file.txt"); if e != nil { panic(e) }; io.Copy(os.Stdout, a.Body) }\n' > main.go
            GOCACHE=/tmp/c go run main.go
            """
        ),
        (
            "go", "preset:go",
            """
            printf 'module m\nrequire index.test/first v1.0.0\n' > go.mod
            printf 'package main\nimport "index.test/first"\nfunc main() { println(first.Word) }\n' > main.go
            export GOCACHE=/tmp/c GOPATH=/tmp/g GONOSUMDB=index.test GOFLAGS=-mod=mod
            go build -o /tmp/m . >&2 && /tmp/m 2>&1
            """
        ),
        (
            "cargo", "preset:cargo",
            """
            mkdir -p .cargo src
            printf '[source.crates-io]\nreplace-with = "ours"\n[source.ours]\nregistry = "sparse+https://index.test/cargo/"\n' > .cargo/config.toml
            printf '[package]\nname = "m"\nversion = "1.0.0"\nedition = "2021"\n[dependencies]\ndrydock-first = "1"\n' > Cargo.toml
            echo 'fn main() { println!("{}", drydock_first::word()) }' > src/main.rs
            CARGO_HOME=/tmp/c cargo run --quiet
            """
        ),
        (
            "uv", "preset:pip",
            "UV_CACHE_DIR=/tmp/c uv pip install -q --target /tmp/t drydock-first >&2 && PYTHONPATH=/tmp/t python3 -c 'import drydock_first as d; print(d.word)'"
        ),
        (
            "hugo go", "preset:go",
            """
            printf 'module m\nrequire index.test/first v1.0.0\n' > go.mod
            printf '[module]\n[[module.imports]]\npath = "index.test/first"\n' > hugo.toml
            mkdir -p layouts && echo '{{ (resources.GetRemote "https://index.test/file.txt").Content -}}' > layouts/index.html
            export GOCACHE=/tmp/c GOPATH=/tmp/g HUGO_CACHEDIR=/tmp/h
            hugo >&2 && cat public/index.html
            """
        ),
        (
            "yarnpkg", "preset:npm",
            """
            export NODE_PATH=/usr/share/nodejs
            printf '{"license": "x"}' > package.json
            yarnpkg add --silent drydock-first >&2 && node -e 'console.log(require("drydock-first"))'
            """
        ),
        (
            "apt-get dpkg-deb", "preset:apt",
            """
            mkdir -p /tmp/a/lists/partial /tmp/a/archives/partial && cd /tmp/a
            echo 'deb [trusted=yes] https://index.test/apt/ ./' > sources.list
            printf 'Dir::State "/tmp/a"; Dir::State::status "/dev/null"; Dir::Cache "/tmp/a"; Dir::Etc "/tmp/a";' > conf
            export APT_CONFIG=/tmp/a/conf
            apt-get -q update >&2 && apt-get -q install --download-only -y drydock-first >&2 &&
            dpkg-deb -x archives/drydock-second_*.deb x && cat x/usr/share/drydock-second/word
            """
        ),
        (
            "java", "index.test",
            """
            echo '\(javaProgram)' > Get.java
            java Get.java file.txt >&2 && java $MAVEN_OPTS Get.java file.txt
            """
        ),
        (
            "mvn", "preset:maven",
            """
            cat > pom.xml <<'EOF'
            <project><modelVersion>4.0.0</modelVersion><groupId>t</groupId><artifactId>m</artifactId><version>1</version>
            <packaging>pom</packaging>
            <repositories><repository><id>central</id><url>https://index.test/maven/</url></repository></repositories>
            <pluginRepositories><pluginRepository><id>central</id><url>https://index.test/maven/</url></pluginRepository>
            </pluginRepositories>
            <build><extensions><extension><groupId>test.drydock</groupId><artifactId>drydock-first</artifactId>
            <version>1.0</version></extension></extensions></build></project>
            EOF
            mvn -q validate >&2 && cd ~/.m2/repository/test/drydock/drydock-second/1.0 &&
            python3 -m zipfile -e drydock-second-1.0.jar /tmp/s && cat /tmp/s/word
            """
        ),
        (
            "gradle", "preset:maven",
            """
            cat > build.gradle <<'EOF'
            repositories { maven { url 'https://index.test/maven/' } }
            configurations { word }
            dependencies { word 'test.drydock:drydock-first:1.0' }
            task word { doLast { configurations.word.each { jar -> zipTree(jar).each { print it.text } } } }
            EOF
            gradle -q word
            """
        ),
        ("curl", "index.test", "curl -sS https://index.test/file.txt"),
        ("wget", "index.test", "wget -q -O - https://index.test/file.txt"),
        ("wget", "index.test", "wget -q -O - --no-proxy https://index.test/file.txt"),
        (
            "openssl", "index.test",
            """
            printf 'GET /file.txt HTTP/1.0\r\nHost: index.test\r\n\r\n' | openssl s_client -quiet -verify_return_error \
            -proxy 127.0.0.1:3128 -connect index.test:443 -servername index.test 2>/tmp/said | tail -n 1
            """
        ),
    ]

    @Test(
        "each that is here reaches what it was granted by the operator's names for it, and nothing is refused",
        arguments: clients
    )
    func fetches(tool: String, network: String, script: String) async throws {
        guard geteuid() == 0, let shown = try Self.shown(tool) else { return }
        try await withScratch { scratch in
            try scratch.write("fine\n", to: "site/file.txt")
            try scratch.write("", to: "work/.keep")
            let indexes = Self.support.appending(path: "test-indexes.py").path
            #expect(try Program.run("/usr/bin/python3", [indexes, scratch.url("site").path]).status == 0)
            let finished = try Program.run(
                "/usr/bin/env",
                [
                    "python3", Self.support.appending(path: "egress-world.py").path, scratch.url("site").path,
                    Program.drydock, "run", "--network", network, "--workspace", ".", "--limit", "total=90s",
                ] + shown + ["--", "sh", "-c", script],
                environment: [
                    "DRYDOCK_DATA": scratch.url("data").path,
                    "DRYDOCK_NETWORK_ROOTS": scratch.url("ca.pem").path,
                    "DRYDOCK_NETWORK_MIRRORS":
                        "pip=https://index.test/simple,npm=https://index.test/npm/,"
                        + "go=https://index.test/go,cargo=https://index.test/cargo,"
                        + "maven=https://index.test/maven/,apt=https://index.test/apt/",
                ],
                in: scratch.url("work")
            )
            #expect(finished.status == 0 && finished.out == "fine\n", "\(finished)")
            #expect(!finished.err.contains("(refused)"), "\(finished.err)")
            let requests = try scratch.read("requests").split(separator: "\n")
            #expect(!requests.isEmpty && requests.allSatisfy { $0.hasPrefix("index.test ") }, "\(requests)")
        }
    }

    @Test(
        "a command is cut off when it has moved what it may, and is told what gives it more; below that it is not"
    )
    func limit() async throws {
        guard geteuid() == 0 else { return }
        try await withScratch { scratch in
            try scratch.write(String(repeating: "x", count: 3 << 20), to: "site/file.txt")
            let fetch = { (limit: String) in
                try Program.run(
                    "/usr/bin/env",
                    [
                        "python3", Self.support.appending(path: "egress-world.py").path,
                        scratch.url("site").path,
                        Program.drydock, "run", "--network", "index.test", "--limit", "network=\(limit)",
                        "--", "sh",
                        "-c",
                        "curl -sS https://index.test/file.txt | wc -c && curl -sSf http://index.test/file.txt | wc -c",
                    ],
                    environment: [
                        "DRYDOCK_DATA": scratch.url("data").path,
                        "DRYDOCK_NETWORK_ROOTS": scratch.url("ca.pem").path,
                    ]
                )
            }
            let whole = try fetch("7MiB")
            #expect(whole.status == 0 && whole.out == "3145728\n3145728\n", "\(whole)")
            let cut = try fetch("1MiB")
            let counts = cut.out.split(separator: "\n").compactMap { Int($0) }
            #expect(counts.count == 2 && counts[0] < 1 << 20 && counts[1] == 0, "\(cut)")
            #expect(cut.err.contains("403") && cut.err.contains("1MiB is all that may go over"), "\(cut)")
        }
    }
}
