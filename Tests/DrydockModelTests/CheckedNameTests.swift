// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Foundation
import Testing

@Suite("names and paths that follow a rule")
struct CheckedNameTests {
    @Test(
        "what a step or plugin can be called",
        arguments: ["a", "make", "a-1", "z9-", String(repeating: "x", count: 40)]
    )
    func names(text: String) throws {
        #expect(StepID(rawValue: text)?.rawValue == text)
        #expect(PluginName(rawValue: text)?.rawValue == text)
        let read = try JSONDecoder().decode(StepID.self, from: JSONEncoder().encode(StepID(rawValue: text)))
        #expect(read.rawValue == text)
    }

    @Test(
        "and what not",
        arguments: [
            "", "A", "1a", "-a", "a b", "a_b", "ä", "a\u{301}", "a/", String(repeating: "x", count: 41),
        ]
    )
    func noNames(text: String) throws {
        #expect(StepID(rawValue: text) == nil && PluginName(rawValue: text) == nil)
        let json = try JSONEncoder().encode(text)
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(StepID.self, from: json) }
    }

    @Test(
        "a path is kept without what means nothing",
        arguments: [
            ("a/b", "a/b"), ("./site/", "site"), ("a//b/./c", "a/b/c"), (".", "."), ("./", "."),
            ("a b/ä", "a b/ä"),
        ]
    )
    func paths(text: String, path: String) throws {
        #expect(try RelativePath(parsing: text).rawValue == path)
    }

    @Test(
        "a path that leads out, or names nothing, is none",
        arguments: [("/a", .absolute), ("a/..", .climbs), ("../a", .climbs), ("a\0", .containsNUL)]
            as [(String, PathProblem)]
    )
    func noPaths(text: String, problem: PathProblem) {
        #expect(throws: problem) { try RelativePath(parsing: text) }
        #expect(RelativePath(rawValue: text) == nil)
    }

    @Test("identifiers are the same where all their bytes are, as they are to the store")
    func bytes() {
        let (composed, decomposed) = (
            SessionID(rawValue: "caf\u{e9}"), SessionID(rawValue: "cafe\u{301}")
        )
        #expect(composed != decomposed && composed == SessionID(rawValue: "caf\u{e9}"))
        #expect(Set([composed, decomposed, composed]).count == 2)
        #expect(decomposed < composed && !(composed < decomposed) && !(composed < composed))
        #expect([composed: 1, decomposed: 2][composed] == 1)
    }

    @Test("a path contains itself and what lies below it")
    func contains() throws {
        let composed = try RelativePath(parsing: "caf\u{e9}")
        #expect(composed.contains("caf\u{e9}/\u{301}") && !composed.contains("cafe\u{301}/a"))
        let site = try RelativePath(parsing: "site")
        #expect(site.contains("site") && site.contains("site/a"))
        #expect(!site.contains("sitemap") && !site.contains("a/site"))
        #expect(try RelativePath(parsing: ".").contains("a"))
        for (path, directory, isWithin) in [
            ("/a", "/", true), ("/", "/", true), ("/srv/a", "/srv", true), ("/srv", "/srv", true),
            ("/srv2", "/srv", false), ("/caf\u{e9}/a", "/cafe\u{301}", false), ("a", "", true),
        ] {
            #expect(PathRule.isWithin(path.utf8, directory.utf8) == isWithin, "\(path) in \(directory)")
        }
    }
}
