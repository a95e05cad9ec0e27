// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Testing

@testable import DrydockConfig

@Suite("the file of secrets")
struct SecretsFileTests {
    private func read(_ text: String) throws(Failure) -> [HostSecret] {
        try SecretsFile.read(Array(text.utf8), name: "secrets.yaml")
    }

    @Test("says for each host what is added, to which requests, for whom")
    func whole() throws {
        let secrets = try read(
            """
            - host: index.example.org
              basic: me:hunter22
              projects: [site]
              steps: [python]
              paths: [/simple/*, /files/*]
            - host: git.example.org:8443
              bearer: gtoken-1
              git: true
            - host: api.example.org
              header: {name: PRIVATE-TOKEN, value: gtoken-2}
              methods: [GET, POST]
              insecure: true
            """
        )
        #expect(secrets.count == 3)
        #expect(secrets[0].credential == .basic("me:hunter22") && secrets[0].port == nil)
        #expect(
            secrets[0].projects?.map(\.rawValue) == ["site"]
                && secrets[0].steps?.map(\.rawValue) == ["python"]
        )
        #expect(secrets[0].requests.allow(method: "GET", uri: "/simple/pip/"))
        #expect(!secrets[0].requests.allow(method: "GET", uri: "/admin"))
        #expect(secrets[1].port == 8443 && secrets[1].requests.isGit && !secrets[1].isInsecure)
        #expect(secrets[2].credential == .header(name: "PRIVATE-TOKEN", value: "gtoken-2"))
        #expect(secrets[2].requests.methods == ["GET", "POST"] && secrets[2].isInsecure)
        #expect(try read("").isEmpty)
    }

    @Test(
        "what is wrong is told with its line, and without what is secret",
        arguments: [
            ("- bearer: hunter22hunter", 1, "host"),
            ("- host: a.example\n", 1, "must have one of"),
            ("- host: a.example\n  bearer: hunter22\n  basic: me:hunter22", 1, "must have one of"),
            ("- host: '*.a.example'\n  bearer: hunter22", 1, "is not one host"),
            ("- host: 10.0.0.1\n  bearer: hunter22", 1, "is an address"),
            ("- host: a.example\n  bearer: hunt", 2, "6 to 4096 bytes"),
            ("- host: a.example\n  bearer: hunter 22", 2, "has a space"),
            ("- host: a.example\n  bearer: [hunter22]", 2, "must be"),
            ("- host: a.example\n  basic: hunter22", 2, "has no colon"),
            (
                "- host: a.example\n  header: {name: Host, value: hunter22}", 2,
                "is no field that can be added"
            ),
            (
                "- host: a.example\n  header: {name: 'X: y', value: hunter22}", 2,
                "is no field that can be added"
            ),
            ("- host: a.example\n  bearer: hunter22\n  methods: [CONNECT]", 3, "is no method"),
            ("- host: a.example\n  bearer: hunter22\n  git: true\n  methods: [GET]", 4, "beside git"),
            ("- host: a.example\n  bearer: hunter22\n  paths: [/a/../b]", 3, "is no path"),
            ("- host: a.example\n  bearer: hunter22\n  paths: []", 3, "names none"),
            ("- host: a.example\n  bearer: hunter22\n  projects: []", 3, "names none"),
            ("- host: a.example\n  bearer: hunter22\n  step: [x]", 3, "steps"),
            ("- host: a.example\n  bearer: \"hunter22\\nX:y\"", 2, "beyond printable ASCII"),
            ("hunter22", 1, "must be a list"),
            ("- hunter22", 1, "must be a table"),
            ("- host: a.example\n  bearer: 'hunter22\n", nil, ""),
            ("- host: a.example\n  bearer: hunter22: x\n", nil, ""),
        ] as [(String, Int?, String)]
    )
    func wrong(_ text: String, _ line: Int?, _ words: String) throws {
        let failure = #expect(throws: Failure.self) { try read(text) }
        let told = "\(failure?.message ?? "") \(failure?.hint ?? "")"
        #expect(words.isEmpty || told.contains(words), "\(told)")
        #expect(!told.contains("hunt"), "\(told)")
        if let line { #expect(failure?.line == line, "\(told)") }
    }
}
