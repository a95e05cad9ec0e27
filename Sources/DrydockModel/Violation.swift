// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// Something the sandbox stopped.
///
/// What was tried, by whom and on what is the build's own text: hostile code chooses it.
package struct Violation: Codable, Hashable, Sendable {
    /// What was tried: a system call's name, `open`, `connect`.
    package var call: String
    /// The path, host or argument that matters.
    package var target: String?
    /// The error that it got, by its name: `EPERM`.
    package var error: String?
    /// What it probably wanted, in words.
    package var wants: String?
    /// The line that would allow it, where there is one.
    package var allow: String?
    /// The thread that tried it, as the sandbox numbers it.
    package var pid: Int?
    /// The file of its program.
    package var program: String?
    /// The stage in which it was.
    package var stage: StageID?
    /// How often, where that is told at once; then nothing else is known of each.
    package var count: Int
    /// Whether programs try it as a matter of course, and go on without: then it explains no failure.
    package var isProbe: Bool

    package init(
        call: String,
        target: String? = nil,
        error: String? = nil,
        wants: String? = nil,
        allow: String? = nil,
        pid: Int? = nil,
        program: String? = nil,
        stage: StageID? = nil,
        count: Int = 1,
        isProbe: Bool = false
    ) {
        self.call = call
        self.target = target
        self.error = error
        self.wants = wants
        self.allow = allow
        self.pid = pid
        self.program = program
        self.stage = stage
        self.count = count
        self.isProbe = isProbe
    }
}

extension Violation {
    /// `mount (proc on /proc) by /usr/bin/mount`.
    package var what: String {
        [call, target.map { "(\($0))" }, program.map { "by \($0)" }].compactMap(\.self).joined(separator: " ")
    }

    /// All of it on one line: `unshare (CLONE_NEWUSER) by /usr/bin/unshare: EPERM; it wants …; to allow it: …`.
    package var words: String {
        let times = count > 1 ? "\(count) times more" : nil
        let why = [error, times].compactMap(\.self).joined(separator: ", ")
        return (why.isEmpty ? what : "\(what): \(why)") + (wants.map { "; it wants \($0)" } ?? "")
            + (allow.map { "; to allow it: \($0)" } ?? "")
    }
}
