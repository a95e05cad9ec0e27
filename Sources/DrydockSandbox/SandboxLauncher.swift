// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
package import DrydockOS

/// The thing that starts a step's process, confined.
package protocol SandboxLauncher: Sendable {
    /// Starts `spec` and returns once its program was executed.
    ///
    /// Takes the child's ends of its standard streams and closes them on the caller's side, also when it throws. A
    /// protection that can not be put in place throws: nothing ever runs with less than the spec says.
    func launch(
        _ spec: SandboxSpec,
        streams: consuming SandboxStreams
    ) async throws(SandboxError) -> any RunningSandbox
}

/// The child's ends of its standard streams, and of the socket that its listeners are sent to; and who hears of what is
/// refused.
package struct SandboxStreams: ~Copyable, Sendable {
    package var stdin: OwnedDescriptor
    package var stdout: OwnedDescriptor
    package var stderr: OwnedDescriptor
    /// Must be there when the spec has listeners: they lie in it, as one packet, when the program was executed.
    package var listeners: OwnedDescriptor?
    /// Called for each violation as it happens, on a thread of the sandbox's own; the last call comes before its report.
    ///
    /// How many there are is bounded, whatever the program does.
    package var onViolation: @Sendable (Violation) -> Void = { _ in }

    package init(
        stdin: consuming OwnedDescriptor,
        stdout: consuming OwnedDescriptor,
        stderr: consuming OwnedDescriptor
    ) {
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
    }
}

/// A sandbox with a process in it.
package protocol RunningSandbox: Sendable {
    /// Ends it: TERM to the main process group, after `grace` the kill of everything inside. Idempotent; the first
    /// reason is the one the verdict tells.
    func end(_ reason: EndReason, grace: Duration)

    /// Returns once nothing of it is left: no process, cgroup or mount.
    func report() async -> SandboxReport
}

/// Why the host ends a sandbox.
package enum EndReason: String, Codable, Sendable {
    case cancelled
    case wallTimeout
    case silenceTimeout
    case diskLimit
}

/// How a sandbox ended, and what it used.
package struct SandboxReport: Sendable, Hashable {
    package var verdict: Verdict
    package var usage: Usage

    package init(verdict: Verdict, usage: Usage) {
        self.verdict = verdict
        self.usage = usage
    }
}

/// How a sandbox ended.
///
/// Turned into an outcome by one function, of the worker.
package enum Verdict: Sendable, Hashable {
    case exit(Int)
    case signalled(Int)
    /// A process of it was killed for want of memory.
    case oom
    /// It had more sockets than the memory limit has room for.
    case tooManySockets
    case pidsLimit
    case cpuLimit
    case ended(EndReason)
    /// The program could not be executed: a Linux errno.
    case execFailed(errno: Int)
    /// A step of the set-up failed.
    case setupFailed(SetupFailure)
    /// The supervisor itself went away.
    case lost
}

/// Why a sandbox was not started.
package enum SandboxError: Error, Sendable, Hashable {
    /// `drydock-jail` is not where it should be; the places that were looked at.
    case jailNotFound([String])
    /// A step of the set-up failed.
    case setupFailed(SetupFailure)
    /// The program could not be executed.
    case execFailed(program: String, errno: Int)
    /// The spec itself is wrong: a relative path, a NUL byte, too many arguments.
    case invalidSpec(String)
    /// A call of the host failed before there was a sandbox.
    case host(call: String, errno: Int)
}
