// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockArchive
import DrydockOS
import DrydockTestSupport
import Testing

@Suite("what tells two sources apart")
struct SourceFingerprintTests {
    private func files(_ scratch: ScratchDirectory) throws -> [String: String]? {
        SourceFingerprint.files(of: try scratch.open("source"))
    }

    @Test("content, mode and links count; times do not")
    func differences() throws {
        let scratch = try ScratchDirectory()
        _ = try scratch.open("source")
        let change = { (line: String) in try scratch.run("/bin/sh", ["-c", "cd source; " + line]) }
        try change("echo 1 >a; echo 1 >b; ln -s a link; mkdir empty")
        let first = try #require(try files(scratch))
        #expect(Set(first.keys) == ["a", "b", "link"])
        try change("touch -d @1000 a")
        #expect(try files(scratch) == first)
        for (line, name) in [("echo 2 >a", "a"), ("chmod +x b", "b"), ("ln -sf b link", "link")] {
            try change(line)
            let now = try #require(try files(scratch))
            #expect(now[name] != first[name], "\(line)")
        }
    }

    @Test("files are told apart whose paths are too long for people")
    func long() throws {
        let scratch = try ScratchDirectory()
        _ = try scratch.open("source")
        let name = String(repeating: "d", count: 120)
        let make = "cd source; mkdir -p \(name)/\(name); cd \(name)/\(name); echo 1 >a; echo 2 >b"
        try scratch.run("/bin/sh", ["-c", make])
        let found = try #require(try files(scratch))
        #expect(found.count == 2 && Set(found.values).count == 2)
    }

    @Test("a source with too many files has none")
    func many() throws {
        let scratch = try ScratchDirectory()
        _ = try scratch.open("source")
        try scratch.run("/bin/sh", ["-c", "cd source; mkdir $(seq 1 5001)"])
        #expect(try files(scratch) == nil)
    }
}
