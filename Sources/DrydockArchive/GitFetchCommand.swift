// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
import DrydockOS
import Glibc
package import SystemPackage

/// Fetching as a process of its own, so that git reads what a stranger's server sends inside a sandbox.
///
/// The revision's files come into the working directory, and one line of JSON is written to descriptor 1 (ToolReply).
package enum GitFetchCommand {
    /// What was fetched.
    package struct Summary: Codable, Hashable, Sendable {
        /// The commit, in hexadecimal.
        package var commit: String
        package var files: Int
        package var bytes: ByteCount
    }

    /// Variables that lead git out of its sandbox.
    private static let passedOn = ["https_proxy", "GIT_SSL_CAINFO"]

    /// Does it.
    ///
    /// `arguments` are as `arguments(for:…)` makes them. Returns the exit status of `ToolReply`.
    package static func run(
        arguments: [String],
        reply: FileDescriptor = .standardOutput,
        directory: FilePath = "."
    ) -> Int32 {
        ToolReply.answer(to: reply) { () throws(Failure) in
            guard (6...7).contains(arguments.count), let seconds = Int64(arguments[3]), seconds > 0,
                let caps = ArchiveCaps(arguments: arguments.prefix(3))
            else {
                throw Failure(
                    .configInvalid,
                    .platform,
                    "fetch takes entries, bytes, bytes of one file, seconds, a scratch directory, a URL and a revision"
                )
            }
            let options = GitOptions(
                limits: WalkLimits(entries: caps.entries, bytes: caps.bytes, fileSize: caps.fileSize),
                timeout: .seconds(seconds),
                environment: passedOn.compactMap { name in
                    getenv(name).map { "\(name)=\(String(cString: $0))" }
                }
            )
            let summary = try GitSource.fetch(
                url: arguments[5],
                revision: arguments.count == 7 ? arguments[6] : nil,
                into: try GitSource.open(directory),
                scratch: FilePath(arguments[4]),
                options
            )
            return Summary(
                commit: summary.commit,
                files: summary.copied.files,
                bytes: ByteCount(summary.copied.bytes)
            )
        }
    }

    /// What the process is to be started with after its subcommand; `scratch` is an empty directory that it sees.
    package static func arguments(
        for url: String,
        _ revision: String?,
        scratch: String,
        caps: ArchiveCaps,
        timeout: Duration
    ) -> [String] {
        caps.arguments + ["\(timeout.components.seconds)", scratch, url] + [revision].compactMap(\.self)
    }

    /// Reads what such a process wrote.
    package static func summary(fromReply bytes: [UInt8]) throws(Failure) -> Summary {
        try ToolReply.read(bytes, of: "fetching the repository") { reply throws(FieldProblem) in
            let counts = 0...Int.max
            let commit: String = try reply.required("commit").filled()
            guard commit.utf8.count <= 64, commit.utf8.allSatisfy(isHex) else {
                throw FieldProblem("its commit is none")
            }
            return Summary(
                commit: commit,
                files: try reply.required("files").integer(in: counts),
                bytes: ByteCount(Int64(try reply.required("bytes").integer(in: counts)))
            )
        }
    }

    private static func isHex(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
    }
}
