// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
import DrydockOS
package import SystemPackage

/// Unpacking one layer as a process of its own, so that the readers of hostile layers run inside a sandbox.
///
/// As `ArchiveUnpackCommand`, for a layer over what is in the working directory; the reply has the fields of `LayerSummary`.
package enum LayerUnpackCommand {
    /// Does it.
    ///
    /// `arguments` are the caps as `arguments(for:)` makes them. Returns the exit status: 0 unpacked, 1 refused, 64 unusable
    /// arguments.
    package static func run(
        arguments: [String],
        layer: FileDescriptor = .standardInput,
        reply: FileDescriptor = .standardOutput,
        directory: FilePath = "."
    ) -> Int32 {
        ToolReply.answer(to: reply) { () throws(Failure) in
            guard var caps = ArchiveCaps(arguments: arguments) else {
                throw Failure(
                    .configInvalid,
                    .platform,
                    "unpack-layer takes three numbers: entries, bytes, bytes of one file"
                )
            }
            caps.depth = ArchiveCaps.rootFileSystem.depth
            return try LayerUnpacker.unpack(layer: layer, into: open(directory), caps: caps)
        }
    }

    /// What the process is to be started with after its subcommand.
    package static func arguments(for caps: ArchiveCaps) -> [String] { caps.arguments }

    /// Reads what such a process wrote.
    package static func summary(fromReply bytes: [UInt8]) throws(Failure) -> LayerSummary {
        try ToolReply.read(bytes, of: "unpacking the layer") { reply throws(FieldProblem) in
            try LayerSummary(reply)
        }
    }

    private static func open(_ directory: FilePath) throws(Failure) -> DirectoryHandle {
        do throws(Errno) {
            return try DirectoryHandle(path: directory)
        } catch {
            throw Failure(.internal, .platform, "the directory to unpack into can not be opened: \(error)")
        }
    }
}

extension LayerSummary {
    fileprivate init(_ reply: Fields) throws(FieldProblem) {
        let counts = 0...Int.max
        self.init(
            files: try reply.required("files").integer(in: counts),
            bytes: ByteCount(Int64(try reply.required("bytes").integer(in: counts))),
            entries: try reply.required("entries").integer(in: counts),
            skipped: try reply.required("skipped").integer(in: counts),
            examples: try reply.required("examples").texts(),
            content: Digest(rawValue: try reply.required("content").text())
        )
    }
}

extension ArchiveCaps {
    /// What a whole root file system may have.
    package static let rootFileSystem: ArchiveCaps = {
        var caps = ArchiveCaps(entries: 1_000_000, bytes: .gibibytes(32), fileSize: .gibibytes(8))
        caps.depth = 128
        return caps
    }()
}
