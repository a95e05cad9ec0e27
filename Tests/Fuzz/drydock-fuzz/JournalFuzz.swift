// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Foundation

@testable import DrydockProtocol

/// What is read back from disk, and JSON from anywhere.
enum JournalFuzz {
    /// What is read and written again reads the same, and the fast reader of log lines agrees with the slow one.
    static func record(_ bytes: [UInt8]) {
        let head = JournalCodec.head(of: bytes)
        _ = JournalCodec.seq(of: bytes)
        if let quick = LogRecordScanner.scan(bytes) {
            precondition(head?.seq == quick.seq)
            let slow = try? JournalCodec.parse(bytes)
            precondition(slow == quick)
        }
        if let text = LogRecordScanner.text(of: bytes) {
            guard case .log(let line) = LogRecordScanner.scan(bytes)?.event else { preconditionFailure() }
            precondition(text == QuotedText(line.text))
        }
        guard let record = try? JournalCodec.decode(bytes) else { return }
        var written: [UInt8] = []
        JournalCodec.encode(record, into: &written)
        precondition(!written.contains(0x0A))
        let again = try? JournalCodec.decode(written)
        precondition(again == record)
    }

    /// What our reader takes, Foundation's takes too: ours is the stricter one.
    static func json(_ bytes: [UInt8]) {
        guard (try? BoundedJSONReader.read(bytes)) != nil else { return }
        let theirs = try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
        precondition(theirs != nil)
    }
}
