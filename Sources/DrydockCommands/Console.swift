// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import Glibc
internal import Synchronization
internal import SystemPackage

/// The standard streams.
///
/// Only this target writes to them.
enum Console {
    /// A line on stdout.
    static func out(_ line: String) { write(line + "\n", to: STDOUT_FILENO) }

    /// A line on stderr.
    static func error(_ line: String) {
        var line = line + "\n"
        // Where this can not be said there is nobody to say so to.
        _ = line.withUTF8 { send(UnsafeRawBufferPointer($0), to: STDERR_FILENO) }
    }

    // A global that changes, for it belongs to the process as the streams do: a view that draws deep inside a build has
    // no one to throw to, and goes on; that its output was lost is told once, at the end.
    private static let lost = Mutex<(stream: Int32, reason: Errno)?>(nil)

    /// What kept output from being written; nil when all of it was, or whoever read it went away.
    static var lostOutput: CommandProblem? {
        lost.withLock { $0 }.map { lost in
            CommandProblem(
                .outputLost,
                lost.stream == STDOUT_FILENO ? "standard output" : "standard error",
                why: "\(lost.reason)",
                remedy: "what was printed is not complete"
            )
        }
    }

    /// Text as it is on stdout.
    static func raw(_ text: String) { write(text, to: STDOUT_FILENO) }

    static func bytes(_ bytes: [UInt8]) { _ = bytes.withUnsafeBytes { write($0, to: STDOUT_FILENO) } }

    /// Bytes as they are, to stdout or stderr; false when nobody takes them any more.
    static func copy(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Bool {
        write(bytes, to: descriptor)
    }

    static var stdoutIsTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    /// A terminal that can not move its cursor (`TERM=dumb`).
    static var isDumb: Bool { variable("TERM") == "dumb" }

    /// Whether colours are wanted (https://no-color.org).
    static var wantsColour: Bool { variable("NO_COLOR") == "" && !isDumb }

    private static func variable(_ name: String) -> String { getenv(name).map { String(cString: $0) } ?? "" }

    /// Lines on stdout, as wide as the terminal at the most: what does not fit goes on below, `indent` columns further in.
    ///
    /// Files and pipes get the line whole, so that programs can read it.
    static func wrapped(_ line: String, indent: Int) {
        guard stdoutIsTerminal else { return out(line) }
        for part in wrap(line, width: max(20, width - 1), indent: indent) { out(part) }
    }

    private static func wrap(_ line: String, width: Int, indent: Int) -> [String] {
        var lines: [String] = []
        var rest = line[...]
        var margin = ""
        while margin.count + rest.count > width {
            let room = rest.prefix(width - margin.count)
            // A word that is longer than the line is cut.
            let end = room.dropFirst(lines.isEmpty ? indent : 1).lastIndex(of: " ") ?? room.endIndex
            lines.append(margin + rest[..<end])
            rest = rest[end...].drop { $0 == " " }
            margin = String(repeating: " ", count: min(indent, width / 2))
        }
        return lines + [margin + rest]
    }

    /// Columns of the terminal; 80 where there is none.
    static var width: Int {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    private static func write(_ text: String, to descriptor: Int32) {
        var text = text
        _ = text.withUTF8 { write(UnsafeRawBufferPointer($0), to: descriptor) }
    }

    /// A reader that went away is no error of a program that prints; whatever else keeps it from printing is.
    @discardableResult
    private static func write(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Bool {
        guard let reason = send(bytes, to: descriptor) else { return true }
        if reason != .brokenPipe { lost.withLock { $0 = $0 ?? (descriptor, reason) } }
        return false
    }

    /// Writes all of `bytes`, or says what kept it from that.
    private static func send(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Errno? {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = Glibc.write(
                descriptor,
                UnsafeRawBufferPointer(rebasing: rest).baseAddress,
                rest.count
            )
            if written >= 0 {
                rest = rest.dropFirst(written)
                continue
            }
            let reason = Errno.current
            if reason == .wouldBlock {
                // Somebody who shares it made it so.
                var polled = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = poll(&polled, 1, -1)
            } else if reason != .interrupted {
                return reason
            }
        }
        return nil
    }
}
