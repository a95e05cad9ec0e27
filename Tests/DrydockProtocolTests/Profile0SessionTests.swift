// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol
import Foundation
import Testing

/// A journal in, messages out: one folder a session under `Tests/Fixtures/profile0`.
///
/// `journal.ndjson` is a build's journal as it lay on disk, or one that a stranger or a failing disk could have left.
/// `messages.ndjson` is what a viewer from the start is sent, `joining.ndjson` what one is sent who comes when half is
/// told, and after the end. Both are profile 0's contract to the byte; only the envelope's id and time are fixed here.
/// `DRYDOCK_RECORD=1` writes them anew: read the difference line by line, clients will.
@Suite("recorded sessions of profile 0")
struct Profile0SessionTests {
    static let folder = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures/profile0")
    /// Records in each batch, in turns: viewers get lines one by one and in whole windows.
    private static let batches = [1, 2, 5, 13, 34]

    static var sessions: [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: folder.path))?.sorted() ?? []
    }

    @Test("there are recorded sessions")
    func found() {
        #expect(Self.sessions.count >= 20)
    }

    @Test("a session is told as it was recorded", arguments: sessions)
    func session(name: String) throws {
        let folder = Self.folder.appending(path: name)
        let journal = try Data(contentsOf: folder.appending(path: "journal.ndjson"))
        let (messages, joining) = Self.told(
            journal.split(separator: 0x0A, omittingEmptySubsequences: false).dropLast()
        )
        for (file, told) in [("messages.ndjson", messages), ("joining.ndjson", joining)] {
            let file = folder.appending(path: file)
            if ProcessInfo.processInfo.environment["DRYDOCK_RECORD"] == "1" { try Data(told).write(to: file) }
            #expect(try [UInt8](Data(contentsOf: file)) == told, "\(file.path)")
        }
    }

    /// What viewers are sent, as lines: those from the start, and those who join in the middle and after the end.
    private static func told(
        _ lines: some RandomAccessCollection<Data>
    ) -> (messages: [UInt8], joining: [UInt8]) {
        var fold = Profile0Fold(
            build: BuildID(rawValue: "b_0000000000000001"),
            project: ProjectName(rawValue: "recorded"),
            title: "A \"recorded\" session"
        )
        var messages = fold.begin()
        var joining: [Profile0Message] = []
        var left = Array(lines)
        for round in 0... where !left.isEmpty {
            let batch = left.prefix(batches[round % batches.count])
            left.removeFirst(batch.count)
            for line in batch { messages += apply([UInt8](line), to: &fold) }
            messages += fold.flush()
            if joining.isEmpty, left.count <= lines.count / 2 { joining = fold.current() }
            guard !left.isEmpty else { break }
        }
        messages += fold.settle()
        joining += fold.current()
        return (encoded(messages), encoded(joining))
    }

    private static func apply(_ line: [UInt8], to fold: inout Profile0Fold) -> [Profile0Message] {
        do throws(JournalCodecError) {
            return try fold.apply(line)
        } catch {
            return fold.apply(.gap(Gap(reason: "damaged", lines: 1, bytes: ByteCount(0))))
        }
    }

    private static func encoded(_ messages: [Profile0Message]) -> [UInt8] {
        let envelope = Envelope(id: "id", at: Timestamp(milliseconds: 0), session: SessionID(rawValue: "s"))
        return messages.flatMap { $0.encoded(in: envelope) + [0x0A] }
    }
}
