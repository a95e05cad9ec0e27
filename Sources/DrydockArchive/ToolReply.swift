// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import DrydockProtocol
import FoundationEssentials
import SystemPackage

/// What a tool of Drydock's own tells from inside a sandbox: one line of JSON, `{"ok":true,…}` with what it made or
/// `{"ok":false,"failure":{"code":…,"fault":…,…}}`.
package enum ToolReply {
    /// A reply is never longer; what is, is no reply.
    package static let longest = 64 * 1_024

    private struct Made<Summary: Encodable>: Encodable {
        let summary: Summary

        func encode(to encoder: any Encoder) throws {
            try summary.encode(to: encoder)
            var fields = encoder.container(keyedBy: Key.self)
            try fields.encode(true, forKey: .ok)
        }
    }

    private struct Refused: Encodable {
        var ok = false
        var failure: Failure
    }

    private enum Key: CodingKey { case ok }

    /// Writes what came of `body`; returns the exit status: 0 made, 1 refused, 64 unusable arguments.
    static func answer<Summary: Encodable>(
        to reply: FileDescriptor,
        _ body: () throws(Failure) -> Summary
    ) -> Int32 {
        let bytes: Data?
        var status: Int32 = 0
        do throws(Failure) {
            let summary = try body()
            bytes = try? JSONEncoder().encode(Made(summary: summary))
        } catch {
            bytes = try? JSONEncoder().encode(Refused(failure: error))
            status = error.code == .configInvalid ? 64 : 1
        }
        // Without a reader there is nobody to tell; the exit status says it still.
        if let bytes { try? FileContents.write((Array(bytes) + [UInt8(ascii: "\n")])[...], to: reply) }
        return status
    }

    /// Reads what such a process wrote, which is itself not to be trusted: it had read what strangers sent.
    ///
    /// `work` is what it was to do, for messages. Throws the failure that it tells.
    static func read<Summary>(
        _ bytes: [UInt8],
        of work: String,
        _ summary: (Fields) throws(FieldProblem) -> Summary
    ) throws(Failure) -> Summary {
        guard bytes.count <= longest, let reply = try? BoundedJSONReader.read(bytes) else {
            throw Failure(.internal, .platform, "\(work) ended without a reply")
        }
        let answer: Result<Summary, Failure>
        do throws(FieldProblem) {
            let fields = try Field(reply, "the reply", .message).fields()
            if let refusal: Failure = try fields.optional("failure") {
                answer = .failure(refusal)
            } else {
                answer = .success(try summary(fields))
            }
        } catch {
            throw Failure(.internal, .platform, "\(work) ended with a broken reply: \(error.message)")
        }
        return try answer.get()
    }
}

extension ArchiveCaps {
    /// The caps as words of a command line.
    var arguments: [String] { ["\(entries)", "\(bytes.bytes)", "\(fileSize.bytes)"] }

    /// Reads them; nil where there is anything else.
    init?(arguments: some Collection<String>) {
        let numbers = arguments.compactMap { Int64($0) }.filter { $0 > 0 }
        guard arguments.count == 3, numbers.count == 3 else { return nil }
        self.init(
            entries: Int(numbers[0]),
            bytes: ByteCount(numbers[1]),
            fileSize: ByteCount(numbers[2])
        )
    }
}
