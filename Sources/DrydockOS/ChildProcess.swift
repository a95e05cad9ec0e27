// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import COS
internal import DrydockModel
internal import Glibc
package import SystemPackage

/// A child process: started without a line of Swift between fork and exec, and held by its pidfd.
package struct ChildProcess: ~Copyable, Sendable {
    /// A descriptor of ours, and its number in the new process; ours stays open.
    package struct Inheritance {
        package var descriptor: FileDescriptor
        package var number: Int32

        package init(_ descriptor: FileDescriptor, as number: Int32) {
            self.descriptor = descriptor
            self.number = number
        }

        /// Good only as long as `owner` lives: its descriptor is lent.
        package init(_ owner: borrowing OwnedDescriptor, as number: Int32) {
            self.init(owner.withDescriptor { $0 }, as: number)
        }
    }

    /// Its number, good for messages; signals go through the pidfd.
    package let processID: Int32
    private let pidfd: OwnedDescriptor

    /// Starts `program` in a session of its own.
    ///
    /// It gets `arguments` (with `argv[0]`), exactly `environment` (`NAME=value`) and no descriptor but `inherited`.
    /// Strings must not contain NUL. Source: man 3 posix_spawn.
    package static func spawn(
        _ program: FilePath,
        arguments: [String],
        environment: [String],
        inherited: [Inheritance]
    ) throws(Errno) -> ChildProcess {
        let map = inherited.map { cos_descriptor(from: $0.descriptor.rawValue, to: $0.number) }
        var processID: Int32 = -1
        var pidfd: Int32 = -1
        let result = withCStrings(arguments) { argv in
            withCStrings(environment) { envp in
                program.withPlatformString { path in
                    map.withUnsafeBufferPointer { descriptors in
                        var request = cos_spawn_request(
                            path: path,
                            argv: argv,
                            envp: envp,
                            descriptors: descriptors.baseAddress,
                            descriptor_count: descriptors.count
                        )
                        return cos_spawn(&request, &processID, &pidfd)
                    }
                }
            }
        }
        try Errno.check(result)
        return ChildProcess(
            processID: processID,
            pidfd: OwnedDescriptor(taking: FileDescriptor(rawValue: pidfd))
        )
    }

    private init(processID: Int32, pidfd: consuming OwnedDescriptor) {
        self.processID = processID
        self.pidfd = pidfd
    }

    /// Sends `signal`; `.noSuchProcess` when it has ended.
    package borrowing func signal(_ signal: Int32) throws(Errno) {
        try Errno.check(pidfd.withDescriptor { cos_signal($0.rawValue, signal) })
    }

    /// Blocks the thread until it ended, and reaps it; `.noChildProcess` when called again.
    package borrowing func waitBlocking() throws(Errno) -> Ending {
        var ending = cos_ending()
        try Errno.check(pidfd.withDescriptor { cos_wait($0.rawValue, &ending) })
        return Ending(
            status: ending.signal == 0 ? .exited(Int(ending.code)) : .signalled(Int(ending.signal)),
            userTime: .microseconds(ending.cpu_user_us),
            systemTime: .microseconds(ending.cpu_system_us),
            peakMemory: ending.peak_bytes
        )
    }

    /// Blocks the thread until it ended, which the caller still has to wait for, or `time` is up; whether it ended.
    package borrowing func ends(within time: Duration) throws(Errno) -> Bool {
        let deadline = ContinuousClock.now.advanced(by: time)
        while true {
            let left = ContinuousClock.now.duration(to: deadline)
            let wait = Int32(clamping: max(0, left.milliseconds))
            let ready = pidfd.withDescriptor { descriptor in
                // Readable once the process ended. Source: man 2 pidfd_open.
                var polled = pollfd(fd: descriptor.rawValue, events: Int16(POLLIN), revents: 0)
                return poll(&polled, 1, wait)
            }
            if ready > 0 { return true }
            if ready == 0 { return false }
            guard Errno.current == .interrupted else { throw Errno.current }
        }
    }

    /// Kills it and whatever it started that stayed in its session's first group; before it was waited for.
    package borrowing func killGroup() {
        // Its number can not have been given away: it is ours to wait for. One that is gone needs no kill.
        _ = kill(-processID, SIGKILL)
    }

    /// How a process ended, and what it and those it waited for used.
    package struct Ending: Sendable, Hashable {
        package enum Status: Sendable, Hashable, CustomStringConvertible {
            case exited(Int)
            case signalled(Int)

            package var description: String {
                switch self {
                case .exited(let code): "exit status \(code)"
                case .signalled(let signal): "ended by signal \(signal)"
                }
            }
        }

        package var status: Status
        package var userTime: Duration
        package var systemTime: Duration
        /// Peak resident set of the largest single process, in bytes.
        package var peakMemory: Int64
    }
}

/// Calls `body` with a NULL-terminated array of C strings that lives as long as the call.
private func withCStrings<Result>(
    _ strings: [String],
    _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
    pointers.append(nil)
    defer { for pointer in pointers { free(pointer) } }
    return pointers.withUnsafeBufferPointer { buffer in
        guard let base = buffer.baseAddress else { preconditionFailure("the array has its NULL at least") }
        return body(base)
    }
}

extension Errno {
    /// Turns a C function's 0 or negative errno into a throw.
    package static func check(_ result: Int32) throws(Errno) {
        guard result < 0 else { return }
        throw Errno(rawValue: -result)
    }
}
