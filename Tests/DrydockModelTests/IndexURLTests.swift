// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Testing

@testable import DrydockModel

@Suite("Addresses of indexes")
struct IndexURLTests {
    @Test(
        "an address is read, and its secret kept apart",
        arguments: [
            ("https://pypi.org/simple", "https://pypi.org/simple", "pypi.org", nil),
            ("HTTP://Index.Example.ORG", "http://index.example.org", "index.example.org", nil),
            (
                "https://me:a%40b@i.example:8443/x?y=1", "https://i.example:8443/x?y=1", "i.example:8443",
                "me:a@b"
            ),
            ("https://me:a@b@i.example/", "https://i.example/", "i.example", "me:a@b"),
            ("https://tok%zz@i.example:443", "https://i.example:443", "i.example", "tok%zz"),
        ] as [(String, String, String, String?)]
    )
    func read(written: String, shown: String, rule: String, secret: String?) throws {
        let url = try IndexURL(parsing: written)
        #expect("\(url)" == shown && "\(url.rule)" == rule && url.userinfo == secret)
    }

    @Test(
        "what is none says why, without the secret",
        arguments: [
            ("ftp://pypi.org/", "https or http"), ("pypi.org", "https or http"), ("https://", "is empty"),
            ("https://10.0.0.1/", "is an address"), ("https://[::1]/", "instead of a name"),
            ("https://a.example:0/", "port"), ("https://a.example:99999/", "port"),
            ("https://me:hidden@a b/", "space"), ("https://me:hidden@a..example/", "empty part"),
            ("https://a.example\\@b.example/", "backslash"), ("https://a.example/#x", "fragment"),
            ("https://a.example/ä", "ASCII"),
        ]
    )
    func refused(written: String, why: String) {
        #expect { try IndexURL(parsing: written) } throws: { error in
            let problem = error as? FieldProblem
            return problem.map { $0.message.contains(why) && !"\($0)".contains("hidden") } == true
        }
    }
}
