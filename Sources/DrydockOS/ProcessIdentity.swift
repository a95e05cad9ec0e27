// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import COS
internal import Glibc
package import SystemPackage

/// Which process is meant, also after its number was given to another one.
///
/// Source: man 5 proc (`/proc/PID/stat`, field 22; `/proc/sys/kernel/random/boot_id`).
package struct ProcessIdentity: Hashable, Sendable {
    package let number: Int32
    /// When it started, in clock ticks after the machine did.
    package let started: UInt64
    /// The machine's run in which that was.
    package let boot: String

    /// This process.
    package static func current() throws(Errno) -> ProcessIdentity {
        let boot = try boot()
        guard let started = startOf(getpid()) else { throw .noSuchProcess }
        return ProcessIdentity(number: getpid(), started: started, boot: boot)
    }

    private init(number: Int32, started: UInt64, boot: String) {
        self.number = number
        self.started = started
        self.boot = boot
    }

    /// Reads `text`; nil for anything that `text` does not write.
    package init?(text: some StringProtocol) {
        let words = text.split(separator: " ")
        guard words.count == 3, let number = Int32(words[0]), number > 0, let started = UInt64(words[1])
        else {
            return nil
        }
        self.init(number: number, started: started, boot: String(words[2]))
    }

    package var text: String { "\(number) \(started) \(boot)" }

    /// Whether it runs now, on this machine and in this run of it.
    package var isAlive: Bool {
        (try? Self.boot()) == boot && Self.startOf(number) == started
    }

    /// Whether it ran since this machine was started.
    package var isOfThisBoot: Bool { (try? Self.boot()) == boot }

    /// Sends `signal` to it, and to no other process; false when it has ended.
    package func signal(_ signal: Int32) throws(Errno) -> Bool {
        var descriptor: Int32 = -1
        let opened = cos_pidfd(number, &descriptor)
        if opened == -ESRCH { return false }
        try Errno.check(opened)
        defer { close(descriptor) }
        // Asked after the descriptor was opened: from here on the number can not come to mean another one.
        guard isAlive else { return false }
        let sent = cos_signal(descriptor, signal)
        if sent == -ESRCH { return false }
        try Errno.check(sent)
        return true
    }

    private static func boot() throws(Errno) -> String {
        guard let text = HostFile.text(of: "/proc/sys/kernel/random/boot_id") else {
            throw .noSuchFileOrDirectory
        }
        return text
    }

    /// nil when there is no such process, or only what its parent has not waited for.
    private static func startOf(_ number: Int32) -> UInt64? {
        guard let text = HostFile.text(of: "/proc/\(number)/stat") else { return nil }
        // The name may hold anything, spaces and brackets too; what follows the last bracket has none.
        guard let bracket = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: bracket)...].split(separator: " ")
        guard fields.count > 19, fields[0] != "Z", fields[0] != "X" else { return nil }
        return UInt64(fields[19])
    }
}
