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

    let directory: FilePath
    let options: GitOptions
    let deadline: ContinuousClock.Instant

    /// Runs one command and returns what it printed; throws `sourceInvalid` with git's last words when it fails.
    func run(_ arguments: [String]) throws(Failure) -> [UInt8] {
        let ended: HostCommand.Ended
        do throws(Errno) {
            ended = try execute(arguments)
        } catch {
            throw Failure(.internal, .platform, "git could not be started: \(error)")
        }
        if ended.status == .exited(0) && !ended.isTooLong { return ended.output }
        throw failure(arguments[0], ended)
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
        ] + options.environment
    }

    private func execute(_ arguments: [String]) throws(Errno) -> HostCommand.Ended {
        // The shell sets the limit on one file's size (blocks of 512 bytes), which posix_spawn can not.
        let blocks = "\(options.limits.bytes.bytes / 512 + 1)"
        let script = #"ulimit -f "$1"; shift; exec git "$@""#
        let git = ["-C", directory.string] + settings.flatMap { ["-c", $0] } + arguments
        return try HostCommand(
            "/bin/sh",
            ["sh", "-c", script, "sh", blocks] + git,
            environment: environment,
            deadline: deadline,
            longestOutput: Self.longestOutput
        ).run()
    }

    private func failure(_ command: String, _ ended: HostCommand.Ended) -> Failure {
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
        return Failure(
            .sourceInvalid,
            .user,
            "git \(command) failed: \(ended.lastWords ?? "no message")",
            hint: "check the URL and the revision; only public repositories can be fetched"
        )
    }
}
