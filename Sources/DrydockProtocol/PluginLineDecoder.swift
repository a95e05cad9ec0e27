// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

/// Reads the lines of a plugin's standard output: which is a record, and what it says.
package enum PluginLineDecoder {
    private static let marker = Array("@dd ".utf8)

    /// Whether `line` claims to be a record; anything else is log text, whatever it holds.
    package static func isRecord(_ line: UnsafeRawBufferPointer) -> Bool {
        line.count >= marker.count && line[0] == marker[0] && line.starts(with: marker)
    }

    /// Decodes one line without its newline.
    ///
    /// Never fails: what can not be read is `.malformed`, with the reason.
    package static func decode(_ line: [UInt8]) -> PluginLine {
        guard line.starts(with: marker) else { return .log }
        guard line.count <= PluginLineLimits.line else { return .malformed("the line is longer than 64 KiB") }
        do throws(FieldProblem) {
            let reader = try RecordReader(body: Array(line[marker.count...]))
            return try reader.record().map { .record($0) } ?? .unknown(type: reader.type)
        } catch {
            return .malformed(error.sentence)
        }
    }

    /// Whether a stage or a command can be named so: `^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`.
    package static func isID(_ text: String) -> Bool {
        guard (1...PluginLineLimits.word).contains(text.utf8.count) else { return false }
        return text.utf8.enumerated().allSatisfy { index, byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
            case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"): index > 0
            default: false
            }
        }
    }

    /// The id of the `exec` that a malformed `line` was meant to be, for the answer somebody waits for.
    ///
    /// Empty where the id itself can not be read; nil for any other record.
    package static func idOfMalformedExec(_ line: [UInt8]) -> String? {
        let body = Array(line.dropFirst(marker.count))
        if let reader = try? RecordReader(body: body) {
            return reader.type == "exec" ? (try? reader.identifier("id")) ?? "" : nil
        }
        // Broken as it is, it can only be guessed; the answer to a wrong guess has an id that nobody waits for.
        let text = String(decoding: body.prefix(128), as: UTF8.self)
        return text.hasPrefix("exec ") || text.contains("\"exec\"") ? "" : nil
    }
}

/// A record's type and fields, whichever form it was written in.
struct RecordReader {
    /// The record's type, valid as a word but perhaps unknown.
    let type: String
    let fields: Fields

    /// Reads what follows `@dd `.
    init(body: [UInt8]) throws(FieldProblem) {
        guard body.first == UInt8(ascii: "{") else {
            let short = try ShortForm(body)
            type = short.type
            fields = try Field(.object(short.values), "the record", .words).fields()
            return
        }
        let json: JSON
        do throws(MalformedJSON) {
            json = try BoundedJSONReader.read(body)
        } catch {
            throw FieldProblem("\(error.reason) (byte \(error.offset + 4))")
        }
        fields = try Field(json, "the record", .message).fields()
        guard let text = json["t"]?.string else { throw FieldProblem("no text 't'") }
        guard ShortForm.isType(text) else { throw FieldProblem("'t' is not a type") }
        type = text
    }
}
