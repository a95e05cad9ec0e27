// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockOS
import Glibc
import SystemPackage

/// Runs git in one repository, with nothing of the user's around it.
struct GitProcess {
    /// Of what git prints, this much is kept; a listing of the most files a source may have fits in.
    private static let longestOutput = 64 << 20
    private static let longestErrors = 8 * 1_024

    let directory: FilePath
    let options: GitOptions
    let deadline: ContinuousClock.Instant

    /// Runs one command and returns what it printed; throws `sourceInvalid` with git's last words when it fails.
    func run(_ arguments: [String]) throws(Failure) -> [UInt8] {
        let ended: Ended
        do throws(Errno) {
            ended = try execute(arguments)
        } catch {
            throw Failure(.internal, .platform, "git could not be started: \(error)")
        }
        if ended.status == .exited(0) && !ended.isTooLong { return ended.output }
        throw failure(arguments[0], ended)
    }

    private struct Ended {
        var status: ChildProcess.Ending.Status
        var output: [UInt8] = []
        var errors: [UInt8] = []
        var isLate = false
        var isTooLong = false
    }

    /// Everything that would run a program, ask somebody, or follow a pointer elsewhere is off.
    private var settings: [String] {
        [
            "core.hooksPath=/dev/null", "core.fsmonitor=false", "core.attributesFile=/dev/null",
            "credential.helper=", "protocol.allow=never", "submodule.recurse=false",
            "fetch.recurseSubmodules=false", "http.followRedirects=false", "gc.auto=0",
            "core.protectHFS=true", "core.protectNTFS=true",
        ] + options.protocols.map { "protocol.\($0).allow=always" }
    }

    private var environment: [String] {
        [
            "PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/nonexistent", "LC_ALL=C", "GIT_CONFIG_NOSYSTEM=1",
            "GIT_CONFIG_GLOBAL=/dev/null", "GIT_ATTR_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
            "GIT_ASKPASS=/bin/false", "SSH_ASKPASS=/bin/false", "GIT_LFS_SKIP_SMUDGE=1",
            "GIT_ALLOW_PROTOCOL=" + options.protocols.joined(separator: ":"),
        ]
    }

    private func execute(_ arguments: [String]) throws(Errno) -> Ended {
        let output = try Pipe()
        let errors = try Pipe()
        let null = try OwnedDescriptor.null()
        // The shell sets the limit on one file's size (blocks of 512 bytes), which posix_spawn can not.
        let blocks = "\(options.limits.bytes.bytes / 512 + 1)"
        let script = #"ulimit -f "$1"; shift; exec git "$@""#
        let git = ["-C", directory.string] + settings.flatMap { ["-c", $0] } + arguments
        let child = try spawn(["sh", "-c", script, "sh", blocks] + git, null, output.write, errors.write)
        return try collect(child, output: output, errors: errors)
    }

    private func spawn(
        _ arguments: [String],
        _ input: borrowing OwnedDescriptor,
        _ output: borrowing OwnedDescriptor,
        _ errors: borrowing OwnedDescriptor
    ) throws(Errno) -> ChildProcess {
        try input.withDescriptor { input throws(Errno) in
            try output.withDescriptor { output throws(Errno) in
                try errors.withDescriptor { errors throws(Errno) in
                    try ChildProcess.spawn(
                        "/bin/sh",
                        arguments: arguments,
                        environment: environment,
                        inherited: [.init(input, as: 0), .init(output, as: 1), .init(errors, as: 2)]
                    )
                }
            }
        }
    }

    private func failure(_ command: String, _ ended: Ended) -> Failure {
        if ended.isLate {
            return Failure(
                .sourceInvalid,
                .user,
                "git \(command) took more than \(options.timeout.inSeconds) seconds"
            )
        }
        if ended.isTooLong { return WalkError.tooManyEntries(limit: options.limits.entries).sourceFailure }
        if ended.status == .exited(127) {
            return Failure(
                .internal,
                .platform,
                "git is not installed",
                hint: "install the package git"
            )
        }
        let words = String(decoding: ended.errors, as: UTF8.self).split(separator: "\n").last ?? "no message"
        return Failure(
            .sourceInvalid,
            .user,
            "git \(command) failed: \(TreePath.shown(words.utf8))",
            hint: "check the URL and the revision; only public repositories can be fetched"
        )
    }
}

extension GitProcess {
    /// Reads both pipes until they end or the time is up, then makes sure that nothing of the session is left.
    private func collect(
        _ child: borrowing ChildProcess,
        output: consuming Pipe,
        errors: consuming Pipe
    ) throws(Errno) -> Ended {
        let outputEnd = output.split { read, write in
            write.close()
            return read
        }
        let errorEnd = errors.split { read, write in
            write.close()
            return read
        }
        var ended = Ended(status: .exited(-1))
        try outputEnd.withDescriptor { output throws(Errno) in
            try errorEnd.withDescriptor { errors throws(Errno) in
                try drain(output, errors, into: &ended)
            }
        }
        // git starts helpers in its session's group; after a clean end there is nobody left to get this.
        if ended.isLate || ended.isTooLong { kill(-child.processID, SIGKILL) }
        ended.status = try child.waitBlocking().status
        return ended
    }

    private func drain(
        _ output: FileDescriptor,
        _ errors: FileDescriptor,
        into ended: inout Ended
    ) throws(Errno) {
        var ends = [output, errors].map {
            pollfd(fd: $0.rawValue, events: Int16(POLLIN), revents: 0)
        }
        var buffer = [UInt8](repeating: 0, count: 64 * 1_024)
        while ends.contains(where: { $0.fd >= 0 }) {
            let left = ContinuousClock.now.duration(to: deadline).milliseconds
            ended.isLate = left <= 0
            ended.isTooLong = ended.output.count > GitProcess.longestOutput
            if ended.isLate || ended.isTooLong { return }
            if poll(&ends, nfds_t(ends.count), Int32(clamping: left)) < 0 { continue }
            for place in ends.indices where ends[place].revents != 0 {
                let file = FileDescriptor(rawValue: ends[place].fd)
                let count = try FileContents.read(file, into: &buffer)
                if count == 0 { ends[place].fd = -1 }
                if place == 0 {
                    ended.output += buffer[..<count]
                } else {
                    ended.errors = (ended.errors + buffer[..<count]).suffix(GitProcess.longestErrors)
                }
            }
        }
    }
}
