// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import ArgumentParser
internal import DrydockModel

/// What `drydock` says to the shell, in one table.
enum ExitStatus: Int32 {
    case succeeded = 0
    /// The project's fault.
    case failed = 1
    /// The plugin's or the platform's fault.
    case errored = 2
    /// Cancelled, or out of time.
    case stopped = 3
    /// EX_USAGE of sysexits.h.
    case usage = 64
    /// EX_UNAVAILABLE: no sandbox, no service.
    case unavailable = 69
    /// EX_SOFTWARE: a bug of ours.
    case bug = 70

    /// EX_IOERR: what was to be printed could not be written.
    case outputLost = 74
    /// Of `run`, as of `env` and `timeout`: there was no sandbox to run the command in.
    case notSetUp = 125

    /// The status for a build that ended this way.
    init(_ outcome: Outcome) {
        switch outcome.state {
        case .succeeded: self = .succeeded
        case .failed: self = .failed
        case .cancelled, .superseded, .timedOut: self = .stopped
        case .errored: self = outcome.failure?.code == .sandboxUnavailable ? .unavailable : .errored
        case .queued, .preparing, .running, .finishing: self = .bug
        }
    }

    /// For throwing out of a command.
    var code: ExitCode { ExitCode(rawValue) }
}
