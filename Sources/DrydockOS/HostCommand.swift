// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import Glibc
package import SystemPackage

/// A command of the operator's, run on the host with an end to its time and to what it prints.
package struct HostCommand: Sendable {
    package var program: FilePath
    /// With `argv[0]`.
    package var arguments: [String]
    /// `NAME=value`; nothing is inherited.
    package var environment: [String]
    package var deadline: ContinuousClock.Instant
    /// More than that, and it is ended.
    package var longestOutput: Int
    /// Of what it says on standard error, this much of the end is kept.
    package var longestErrors = 8 * 1_024

    package init(
        _ program: FilePath,
        _ arguments: [String],
        environment: [String],
        deadline: ContinuousClock.Instant,
        longestOutput: Int
    ) {
        self.program = program
        self.arguments = arguments
        self.environment = environment
        self.deadline = deadline
        self.longestOutput = longestOutput
    }

    /// How it ended, and what it printed.
    package struct Ended: Sendable {
        package var status: ChildProcess.Ending.Status
        package var output: [UInt8] = []
        package var errors: [UInt8] = []
        /// It was ended because its time was up.
        package var isLate = false
        /// It was ended because it printed too much.
        package var isTooLong = false

        /// The last line on standard error, fit to be shown; nil where there is none.
        package var lastWords: String? {
            let text = String(decoding: errors, as: UTF8.self)
            return text.split(whereSeparator: \.isNewline).last.map { TreePath.shown($0.utf8) }
        }
    }

    /// Runs it to its end, with nothing to read.
    ///
    /// Blocks. Throws only where it could not be started.
    package func run() throws(Errno) -> Ended {
        let output = try Pipe()
        let errors = try Pipe()
        let null = try OwnedDescriptor.null()
        let child = try spawn(null, output.write, errors.write)
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
        // What it started is in its session's group; after a clean end there is nobody left to get this.
        if ended.isLate || ended.isTooLong { kill(-child.processID, SIGKILL) }
        ended.status = try child.waitBlocking().status
        return ended
    }

    private func spawn(
        _ input: borrowing OwnedDescriptor,
        _ output: borrowing OwnedDescriptor,
        _ errors: borrowing OwnedDescriptor
    ) throws(Errno) -> ChildProcess {
        try ChildProcess.spawn(
            program,
            arguments: arguments,
            environment: environment,
            inherited: [.init(input, as: 0), .init(output, as: 1), .init(errors, as: 2)]
        )
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
            ended.isTooLong = ended.output.count > longestOutput
            if ended.isLate || ended.isTooLong { return }
            if poll(&ends, nfds_t(ends.count), Int32(clamping: left)) < 0 { continue }
            for place in ends.indices where ends[place].revents != 0 {
                let file = FileDescriptor(rawValue: ends[place].fd)
                let count = try FileContents.read(file, into: &buffer)
                if count == 0 { ends[place].fd = -1 }
                if place == 0 {
                    ended.output += buffer[..<count]
                } else {
                    ended.errors = (ended.errors + buffer[..<count]).suffix(longestErrors)
                }
            }
        }
    }
}
