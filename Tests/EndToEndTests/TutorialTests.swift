// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Foundation
import Testing

/// Types `docs/plugin-tutorial.md` in: its files are written, its commands run, and what they print is compared.
///
/// A fenced block `sh` is run in one shell; one with a path behind its language is a file; `text` is what the commands before it
/// print. In that, `…` stands for any characters of a line, and a line `…` for any lines. With `DRYDOCK_RECORD=1` the answers
/// are written anew, to be read before they are committed.
@Suite("the tutorial", .timeLimit(.minutes(5)))
struct TutorialTests {
    private static let page = Program.root.appending(path: "docs/plugin-tutorial.md")

    private struct Block {
        var language: String
        var file: String?
        var lines: [String] = []
        /// The line of the page that it begins on.
        var line: Int
    }

    private static func blocks(_ lines: [String]) -> [Block] {
        var blocks: [Block] = []
        var isOpen = false
        for (index, line) in lines.enumerated() {
            if line.hasPrefix("```") {
                if !isOpen {
                    let words = line.dropFirst(3).split(separator: " ").map(String.init)
                    blocks.append(
                        Block(language: words.first ?? "", file: words.dropFirst().first, line: index + 1)
                    )
                }
                isOpen.toggle()
            } else if isOpen {
                blocks[blocks.count - 1].lines.append(line)
            }
        }
        return blocks
    }

    @Test("every command of it prints what stands there")
    func typed() async throws {
        let text = try String(contentsOf: Self.page, encoding: .utf8)
        var lines = text.components(separatedBy: "\n")
        let isRecording = ProcessInfo.processInfo.environment["DRYDOCK_RECORD"] == "1"
        var answers: [(block: Block, lines: [String])] = []
        try await withScratch { scratch in
            var printed: [String] = []
            for block in Self.blocks(lines) {
                if let file = block.file {
                    try Self.write(block, to: scratch.url("work/" + file))
                } else if block.language == "sh" {
                    printed = try Self.run(block, scratch)
                } else if block.language == "text" {
                    answers.append((block, printed))
                }
            }
        }
        #expect(answers.count >= 10, "the page has lost its answers")
        guard !isRecording else {
            for (block, printed) in answers.reversed() {
                lines.replaceSubrange(block.line..<(block.line + block.lines.count), with: printed)
            }
            return try lines.joined(separator: "\n").write(to: Self.page, atomically: true, encoding: .utf8)
        }
        for (block, printed) in answers {
            #expect(
                Self.matches(block.lines[...], printed[...]),
                "line \(block.line) of the tutorial; printed: \(printed.joined(separator: "\n"))"
            )
        }
    }

    private static func write(_ block: Block, to file: URL) throws {
        let folder = file.deletingLastPathComponent()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let text = block.lines.joined(separator: "\n") + "\n"
        let isNew = !FileManager.default.fileExists(atPath: file.path)
        try Data(text.utf8).write(to: file)
        guard isNew else { return }
        // As an editor makes it: what is to run has to be made executable by a command of the page.
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: file.path)
    }

    /// Runs the commands as a reader with an empty home would; what both streams printed, with `…` for what differs.
    private static func run(_ block: Block, _ scratch: Scratch) throws -> [String] {
        let work = scratch.url("work")
        try FileManager.default.createDirectory(at: work, withIntermediateDirectories: true)
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        let drydock = URL(filePath: Program.drydock).deletingLastPathComponent().path
        let finished = try Program.run(
            "/bin/sh",
            ["-c", "umask 022; exec 2>&1\n" + block.lines.joined(separator: "\n")],
            environment: [
                "PATH": "\(drydock):\(path)", "DRYDOCK_DATA": scratch.url("data").path,
                "XDG_CONFIG_HOME": scratch.url("config").path,
            ],
            in: work
        )
        let real = work.resolvingSymlinksInPath().path
        return finished.out.replacing(scratch.folder.path, with: "…").replacing(real, with: "…")
            .replacing(#/\b[ba]_[0-9a-z]{16}/#, with: "…")
            .replacing(#/\d+(\.\d+)? (ms|s|MiB|KiB|B)\b/#) { "… \($0.output.2)" }
            .replacing(#/\b\d+\.\ds\b/#, with: "…s")
            .replacing(#/sandbox level L\d/#, with: "sandbox level L…")
            // Python's words are those of its version, and a guest may be done before it is told to stop.
            .replacing(#/(it is no JSON|run, cancelled): ?[^\n,]*/#) { "\($0.output.1): …" }
            .replacing(#/(drydock.py", line) \d+/#) { "\($0.output.1) …" }
            .trimmingCharacters(in: .newlines).components(separatedBy: "\n")
    }

    private static func matches(_ wanted: ArraySlice<String>, _ printed: ArraySlice<String>) -> Bool {
        guard let first = wanted.first else { return printed.isEmpty }
        if first == "…" {
            return (printed.startIndex...printed.endIndex)
                .contains { matches(wanted.dropFirst(), printed[$0...]) }
        }
        guard let line = printed.first, fits(first, line) else { return false }
        return matches(wanted.dropFirst(), printed.dropFirst())
    }

    /// Whether a line has the pieces between `…` in their order, with the first and the last at its ends.
    private static func fits(_ wanted: String, _ line: String) -> Bool {
        let pieces = wanted.components(separatedBy: "…")
        guard pieces.count > 1 else { return wanted == line }
        guard line.hasPrefix(pieces[0]) else { return false }
        var rest = line.dropFirst(pieces[0].count)
        for piece in pieces.dropFirst().dropLast() where !piece.isEmpty {
            guard let found = rest.firstRange(of: piece) else { return false }
            rest = rest[found.upperBound...]
        }
        return rest.hasSuffix(pieces[pieces.count - 1])
    }
}
