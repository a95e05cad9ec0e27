// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockTestSupport
import Foundation
import SystemPackage
import Testing

@testable import DrydockOS

@Suite("Paths below a directory")
struct TreePathTests {
    @Test(
        "honest paths are normalised",
        arguments: [("a/b", "a/b"), ("./a//b/", "a/b"), (".", ""), ("a/./b", "a/b"), ("..a/b..", "..a/b..")]
    )
    func honest(text: String, path: String) throws {
        #expect(try TreePath(parsing: text.utf8).text == path)
    }

    @Test(
        "paths that leave or name nothing are refused",
        arguments: [
            ("/etc", PathProblem.absolute), ("../a", .climbs), ("a/../b", .climbs), ("a/..", .climbs),
            ("a\0b", .containsNUL), (String(repeating: "x", count: 256), .nameTooLong),
            (String(repeating: "abcdefg/", count: 600), .pathTooLong),
        ]
    )
    func hostile(text: String, problem: PathProblem) {
        #expect(throws: problem) { try TreePath(parsing: text.utf8) }
    }

    @Test(
        "a link's target is judged by its text",
        arguments: [
            ("a", "b", true), ("a/b", "../c", true), ("a/b/c", "../../d", true), ("a", "./b/c", true),
            ("a", "..", false), ("a", "../x", false), ("a/b", "../../x", false), ("a", "/etc", false),
            ("a/b", "c/../d", false), ("a", "", false),
        ] as [(String, String, Bool)]
    )
    func links(path: String, target: String, inside: Bool) throws {
        #expect(try TreePath(parsing: path.utf8).linkStaysInside(target: Array(target.utf8)) == inside)
    }

    @Test("what is shown has no control characters and an end")
    func shown() {
        #expect(TreePath.shown("a\u{1B}[31m\nb".utf8) == "a\\u{1B}[31m\\nb")
        #expect(TreePath.shown(String(repeating: "x", count: 5_000).utf8).count == 201)
    }
}

@Suite("Walking trees")
struct TreeWalkerTests {
    private func walk(_ root: DirectoryHandle, _ limits: WalkLimits = WalkLimits()) throws -> [String] {
        var walker = try TreeWalker(root: root, limits: limits, ignoring: [".git"])
        var seen: [String] = []
        while let entry = try walker.next() {
            switch entry.kind {
            case .directory: seen.append("\(entry.path)/")
            case .directoryEnd: seen.append("\(entry.path)/.")
            case .file: seen.append("\(entry.path)")
            case .symlink(let target, let inside):
                seen.append("\(entry.path)->\(TreePath.shown(target))\(inside ? "" : "!")")
            case .special(let kind): seen.append("\(entry.path)=\(kind.rawValue)")
            }
        }
        return seen
    }

    @Test("entries come sorted, each directory before and after what is in it")
    func order() throws {
        let scratch = try ScratchDirectory()
        for name in ["b/x", "a-1", "a/z", "a/y", ".git/config", "a/.git/config"] {
            try scratch.write(name, "1")
        }
        try scratch.python(
            "import os; os.symlink('a/y','l'); os.symlink('../x','out'); os.mkfifo('p'); os.mkdir('e')"
        )
        let seen = try walk(scratch.open())
        #expect(
            seen == [
                "a/", "a/y", "a/z", "a/.", "a-1", "b/", "b/x", "b/.", "e/", "e/.", "l->a/y", "out->../x!",
                "p=fifo",
            ]
        )
    }

    @Test("every cap ends the walk with its own error")
    func caps() throws {
        let scratch = try ScratchDirectory()
        try scratch.python(
            "import os; os.makedirs('a/b/c'); [open(f'a/{i}','w').write('xxxx') for i in range(10)]"
        )
        let root = try scratch.open()
        #expect(throws: WalkError.tooManyEntries(limit: 5)) { try walk(root, WalkLimits(entries: 5)) }
        #expect(throws: WalkError.tooManyBytes(limit: ByteCount(20))) {
            try walk(root, WalkLimits(bytes: ByteCount(20)))
        }
        let file = try TreePath(parsing: "a/0".utf8)
        #expect(throws: WalkError.fileTooLarge(file, size: ByteCount(4), limit: ByteCount(3))) {
            try walk(root, WalkLimits(fileSize: ByteCount(3)))
        }
        let deep = try TreePath(parsing: "a/b/c".utf8)
        #expect(throws: WalkError.tooDeep(deep, limit: 2)) {
            try walk(root, WalkLimits(fileSize: ByteCount(100), depth: 2))
        }
        #expect(throws: WalkError.tookTooLong(limit: .zero)) { try walk(root, WalkLimits(time: .zero)) }
        #expect(try walk(root, WalkLimits(entries: 13, bytes: ByteCount(40), depth: 3)).count == 16)
    }

    @Test("a directory swapped for a link to the outside is an error, not a way out", .timeLimit(.minutes(1)))
    func swapped() throws {
        let scratch = try ScratchDirectory()
        try scratch.write("tree/d/inner", "inside")
        try scratch.write("secret/inner", "outside")
        var walker = try TreeWalker(root: scratch.open("tree"))
        // The names were listed when the walk began; the swap comes between listing and opening.
        try scratch.python("import os; os.rename('tree/d','d'); os.symlink('../secret','tree/d')")
        let entry = try #require(try walker.next())
        #expect(entry.kind == .symlink(target: Array("../secret".utf8), staysInside: false))
        #expect(throws: Errno.tooManySymbolicLinkLevels) {
            try scratch.open("tree").openDirectory(TreePath(parsing: "d".utf8))
        }
        #expect(throws: Errno.tooManySymbolicLinkLevels) {
            _ = try scratch.open("tree").openFile(TreePath(parsing: "d/inner".utf8), .read)
        }
    }
}

@Suite("Removing and copying trees", .timeLimit(.minutes(2)))
struct TreeRemoverTests {
    @Test("what hostile code leaves behind is removed, and links are not followed")
    func hostile() throws {
        let scratch = try ScratchDirectory()
        try scratch.write("keep/file", "kept")
        try scratch.python(
            """
            import os
            os.makedirs('t/closed/inner'); open('t/closed/inner/f','w').close()
            os.chmod('t/closed/inner', 0); os.chmod('t/closed', 0)
            os.symlink('../keep','t/link'); os.symlink('/','t/root'); os.mkfifo('t/p')
            os.mkdir('t/wide')
            for i in range(5000): open(f't/wide/{i}','w').close()
            """
        )
        try TreeRemover.remove("t", in: scratch.open())
        try TreeRemover.remove("t", in: scratch.open())
        #expect(try scratch.open().names() == [Array("keep".utf8)])
        #expect(try scratch.read("keep/file") == "kept")
    }

    @Test("a tree ten thousand directories deep is removed")
    func deep() throws {
        let scratch = try ScratchDirectory()
        try scratch.python(
            """
            import os
            os.mkdir('t'); os.chdir('t')
            for i in range(10000):
                os.mkdir('d'); os.chdir('d')
            """
        )
        try TreeRemover.remove("t", in: scratch.open())
        #expect(try scratch.open().names().isEmpty)
    }

    @Test("a copy has fresh files, normal modes and the old times")
    func copy() throws {
        let scratch = try ScratchDirectory()
        try scratch.python(
            """
            import os
            os.makedirs('s/d'); open('s/d/f','w').write('text'); os.link('s/d/f','s/g')
            os.chmod('s/g', 0o4755); os.symlink('d/f','s/l'); os.utime('s/g', (5, 1000000000))
            """
        )
        let target = try scratch.open("t")
        let summary = try TreeCopier.copy(from: scratch.open("s"), into: target)
        #expect(summary.files == 2 && summary.bytes == 8 && summary.leftOut == 0)
        #expect(try scratch.read("t/l") == "text")
        let first = try target.status(of: Array("g".utf8)[...])
        let second = try target.openDirectory(TreePath(parsing: "d".utf8)).status(of: Array("f".utf8)[...])
        #expect(first.inode != second.inode)
        #expect(first.permissions == 0o755 && first.modified.seconds == 1_000_000_000)
    }

    @Test("links out and fifos are refused, or left out and named")
    func unfit() throws {
        let scratch = try ScratchDirectory()
        try scratch.python("import os; os.mkdir('s'); os.symlink('/etc','s/out'); os.mkfifo('s/p')")
        let out = try TreePath(parsing: "out".utf8)
        #expect(throws: CopyError.linkLeadsOut(out, target: "/etc")) {
            try TreeCopier.copy(from: scratch.open("s"), into: scratch.open("t"))
        }
        let options = CopyOptions(unfit: .leaveOut)
        let summary = try TreeCopier.copy(from: scratch.open("s"), into: scratch.open("u"), options)
        #expect(summary.leftOut == 2 && summary.examplesLeftOut == ["out", "p"])
    }
}
