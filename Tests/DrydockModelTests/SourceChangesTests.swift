// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Testing

@Suite("what changed since the last build that succeeded")
struct SourceChangesTests {
    private func ingredients(
        _ files: [String: String]?,
        commit: String? = nil,
        plugins: [String: Digest] = [:],
        parameters: [String: String] = [:]
    ) -> BuildIngredients {
        BuildIngredients(
            build: BuildID(rawValue: "b_green"),
            endedAt: Timestamp(milliseconds: 1_000),
            commit: commit,
            files: files,
            plugins: plugins,
            parameters: parameters
        )
    }

    @Test("files that changed, came and went, the one in question first")
    func files() {
        let before = ingredients(["a": "1", "b": "1", "gone": "1", "z": "1"])
        let now = ingredients(["a": "2", "b": "1", "new": "1", "z": "2"])
        let found = before.changes(to: now, about: "z")
        #expect(found.changed == ["z", "a"] && found.added == ["new"] && found.removed == ["gone"])
        #expect(found.more == 0 && !found.isEmpty)
        #expect(found.words == "since b_green succeeded: changed z, a; new new; removed gone")
    }

    @Test("a name that could be words of the sentence stands in quotation marks")
    func forged() {
        let name = "c; nothing else has changed\u{202E}"
        let found = ingredients([:]).changes(to: ingredients([name: "1"]), about: nil)
        #expect(found.words == "since b_green succeeded: new 'c; nothing else has changed\u{FFFD}'")
    }

    @Test("no more names than a person reads; the rest is counted")
    func many() {
        let names = (0..<40).map { "file-\($0)" }
        let before = ingredients(Dictionary(uniqueKeysWithValues: names.map { ($0, "1") }))
        let now = ingredients(Dictionary(uniqueKeysWithValues: names.map { ($0, "2") }))
        let found = before.changes(to: now, about: "file-7")
        #expect(found.changed.count == SourceChanges.mostNamed && found.changed.first == "file-7")
        #expect(found.more == 40 - SourceChanges.mostNamed)
    }

    @Test("commit, plugins and parameters are told too")
    func others() {
        let before = ingredients([:], commit: "aaaa", plugins: ["make": Digest(rawValue: "sha256:1")])
        let now = ingredients(
            [:],
            commit: "bbbb",
            plugins: ["make": Digest(rawValue: "sha256:2")],
            parameters: ["target": "x"]
        )
        let found = before.changes(to: now, about: nil)
        #expect(found.commits == ["aaaa", "bbbb"])
        #expect(found.others == ["the plugin make is another one", "the parameter target is another one"])
    }

    @Test("where nothing changed that is said, and where nobody can tell that is")
    func nothing() {
        let same = ingredients(["a": "1"])
        #expect(same.changes(to: same, about: nil).words.contains("nothing in the source has changed"))
        #expect(same.changes(to: ingredients(nil), about: nil).words.contains("too many files"))
    }
}
