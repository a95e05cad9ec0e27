// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel
internal import FoundationEssentials

extension Failure {
    /// Names those of a step's violations that explain its failure, if there are any.
    ///
    /// Programs try much that they can do without, so that something was stopped explains nothing by itself. It does where the
    /// output speaks of it, or where nothing else explains the failure and it is not tried as a matter of course.
    func explained(by violations: [Violation]) -> Failure {
        guard [.stepFailed, .pluginCrashed].contains(code) else { return self }
        let output = (details?.output ?? []) + [details?.cause?.message ?? ""]
        let spoken = violations.filter { Evidence(of: $0).isSpokenOf(in: output) }
        let isUnexplained = details?.cause == nil && !message.hasPrefix("error: ")
        let silent = isUnexplained ? violations.filter { !$0.isProbe } : []
        let blamed = (spoken.isEmpty ? silent : spoken).prefix(3)
        guard let first = blamed.first else { return self }
        var told = self
        var known = details ?? FailureDetails()
        known.blocked += blamed.map(BlockedAccess.init)
        told.details = known
        let sentence = "the sandbox stopped \(first.words)"
        let place =
            first.allow == nil ? "" : " (in drydock.yaml, at the step; the operator must allow it too)"
        told.hint = [hint, sentence + place].compactMap(\.self).joined(separator: "; ")
        return told
    }
}

extension BlockedAccess {
    fileprivate init(_ violation: Violation) {
        let why = [violation.error, violation.wants.map { "it wants \($0)" }].compactMap(\.self)
        self.init(what: violation.what, why: why.joined(separator: "; "), allow: violation.allow)
    }
}

/// How a program says that a call of it was refused.
private struct Evidence {
    /// In lower case.
    private let words: [String]

    /// What the C library says of an error (`man 3 errno`), and how runtimes name it.
    private static let sayings = [
        "EPERM": ["operation not permitted", "permission denied", "eperm"],
        "EAFNOSUPPORT": ["address family not supported", "eafnosupport"],
        "EPROTONOSUPPORT": ["protocol not supported", "eprotonosupport"],
        "ESOCKTNOSUPPORT": ["socket type not supported", "esocktnosupport"],
    ]

    /// Other words for what a call does, by the call.
    private static let topics = [
        "unshare": ["namespace", "sandbox"], "clone": ["namespace", "sandbox"], "setns": ["namespace"],
        "ptrace": ["leaksanitizer", "trace"], "io_uring_setup": ["io_uring"],
        "perf_event_open": ["perf_event"],
        "bpf": ["ebpf"], "keyctl": ["keyring"], "add_key": ["keyring"], "request_key": ["keyring"],
        "seccomp": ["seccomp"], "prctl": ["seccomp"], "syslog": ["klogctl", "kernel buffer"],
        "sethostname": ["hostname"], "swapon": ["swap"],
    ]

    init(of violation: Violation) {
        let named = [violation.call] + Self.topics[violation.call, default: []]
        if let target = violation.target, target.hasPrefix("/"), ["open", "write"].contains(violation.call) {
            // Read off the output itself.
            words = [target.lowercased()]
        } else {
            // What is tried as a matter of course is only to blame by its name.
            words = violation.isProbe ? named : named + Self.sayings[violation.error ?? "", default: []]
        }
    }

    func isSpokenOf(in output: [String]) -> Bool {
        output.contains { line in
            let line = line.lowercased()
            return words.contains { line.contains($0) }
        }
    }
}
