// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
import DrydockOS
package import SystemPackage

/// Unpacking as a process of its own, so that the readers of hostile archives run inside a sandbox.
///
/// The archive is read from a descriptor (0), unpacked into the working directory, and one line of JSON is written to
/// another (1), with `files`, `bytes` and `stripped` (ToolReply).
package enum ArchiveUnpackCommand {
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
        ToolReply.answer(to: reply) { () throws(Failure) in
            let caps = try caps(from: arguments)
            return try ArchiveUnpacker.unpack(archive: archive, into: open(directory), caps: caps)
        }
    }

    /// What the process is to be started with after its subcommand.
    package static func arguments(for caps: ArchiveCaps) -> [String] { caps.arguments }

    /// Reads what such a process wrote.
    package static func summary(fromReply bytes: [UInt8]) throws(Failure) -> UnpackSummary {
        try ToolReply.read(bytes, of: "unpacking the archive") { reply throws(FieldProblem) in
            try UnpackSummary(reply)
        }
    }

    private static func caps(from arguments: [String]) throws(Failure) -> ArchiveCaps {
        if arguments.isEmpty { return ArchiveCaps() }
        if let caps = ArchiveCaps(arguments: arguments) { return caps }
        throw Failure(
            .configInvalid,
            .platform,
            "unpack takes no arguments, or three numbers: entries, bytes, bytes of one file"
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
