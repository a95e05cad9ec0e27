// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
import DrydockOS
import DrydockProtocol
import FoundationEssentials
package import SystemPackage

/// Unpacking as a process of its own, so that the readers of hostile archives run inside a sandbox.
///
/// The archive is read from a descriptor (0), unpacked into the working directory, and one line of JSON is written to
/// another (1): `{"ok":true,"files":…,"bytes":…,"stripped":…}` or `{"ok":false,"failure":{"code":…,"fault":…,…}}`.
package enum ArchiveUnpackCommand {
    /// A reply is never longer; what is, is no reply.
    package static let longestReply = 64 * 1_024

    /// The reply as it stands on the wire.
    private struct Reply: Encodable {
        var ok: Bool
        var files: Int?
        var bytes: ByteCount?
        var stripped: String?
        var failure: Failure?
    }

    /// Does it.
    ///
    /// `arguments` are the caps as `arguments(for:)` makes them, or none. Returns the exit status: 0 unpacked, 1
    /// refused, 64 unusable arguments.
    package static func run(
        arguments: [String],
        archive: FileDescriptor = .standardInput,
        reply: FileDescriptor = .standardOutput,
        directory: FilePath = "."
    ) -> Int32 {
        var status: Int32 = 0
        var line = Reply(ok: true)
        do throws(Failure) {
            let caps = try caps(from: arguments)
            let summary = try ArchiveUnpacker.unpack(archive: archive, into: open(directory), caps: caps)
            line.files = summary.files
            line.bytes = summary.bytes
            line.stripped = summary.stripped
        } catch {
            line = Reply(ok: false, failure: error)
            status = error.code == .configInvalid ? 64 : 1
        }
        // Without a reader there is nobody to tell; the exit status says it still.
        if let bytes = try? JSONEncoder().encode(line) {
            try? FileContents.write((Array(bytes) + [UInt8(ascii: "\n")])[...], to: reply)
        }
        return status
    }

    /// What the process is to be started with after its subcommand.
    package static func arguments(for caps: ArchiveCaps) -> [String] {
        ["\(caps.entries)", "\(caps.bytes.bytes)", "\(caps.fileSize.bytes)"]
    }

    /// Reads what such a process wrote, which is itself not to be trusted: it had read the archive.
    package static func summary(fromReply bytes: [UInt8]) throws(Failure) -> UnpackSummary {
        guard bytes.count <= longestReply, let reply = try? BoundedJSONReader.read(bytes) else {
            throw Failure(.internal, .platform, "unpacking the archive ended without a reply")
        }
        let answer: Result<UnpackSummary, Failure>
        do throws(FieldProblem) {
            let fields = try Field(reply, "the reply", .message).fields()
            if let refusal: Failure = try fields.optional("failure") {
                answer = .failure(refusal)
            } else {
                answer = .success(try UnpackSummary(fields))
            }
        } catch {
            throw Failure(
                .internal,
                .platform,
                "unpacking the archive ended with a broken reply: \(error.message)"
            )
        }
        return try answer.get()
    }

    private static func caps(from arguments: [String]) throws(Failure) -> ArchiveCaps {
        if arguments.isEmpty { return ArchiveCaps() }
        let numbers = arguments.compactMap { Int64($0) }.filter { $0 > 0 }
        guard arguments.count == 3, numbers.count == 3 else {
            throw Failure(
                .configInvalid,
                .platform,
                "unpack takes no arguments, or three numbers: entries, bytes, bytes of one file"
            )
        }
        return ArchiveCaps(
            entries: Int(numbers[0]),
            bytes: ByteCount(numbers[1]),
            fileSize: ByteCount(numbers[2])
        )
    }

    private static func open(_ directory: FilePath) throws(Failure) -> DirectoryHandle {
        do throws(Errno) {
            return try DirectoryHandle(path: directory)
        } catch {
            throw Failure(.internal, .platform, "the directory to unpack into can not be opened: \(error)")
        }
    }
}

extension UnpackSummary {
    fileprivate init(_ reply: Fields) throws(FieldProblem) {
        let counts = 0...Int.max
        self.init(
            files: try reply.required("files").integer(in: counts),
            bytes: ByteCount(Int64(try reply.required("bytes").integer(in: counts))),
            stripped: try reply.optional("stripped")
        )
    }
}
