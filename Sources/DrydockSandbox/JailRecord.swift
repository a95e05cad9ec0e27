// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import CSandboxWire
package import DrydockModel
internal import DrydockOS
internal import Glibc
internal import SystemPackage

/// What the jail tells, as a value.
enum JailRecord: Sendable {
    /// The program was executed.
    case started(limits: SandboxCapabilities)
    case timing(step: Int, Duration)
    /// A call of the program was refused.
    case refused(RefusedCall)
    /// The last one: how it ended.
    case ended(JailEnding)
}

/// How a sandbox ended, as the jail saw it.
struct JailEnding: Sendable {
    enum Cause: Sendable, Hashable {
        case exited(Int)
        case signalled(Int)
        case setupFailed(SetupFailure)
        case execFailed(errno: Int)
    }

    var cause: Cause
    /// Whether the jail ended it for its sockets.
    var wasCrowded: Bool
    var oomKills: UInt64
    var processDenials: UInt64
    var cpu: Duration
    var peakMemory: ByteCount
    var peakProcesses: Int?
}

/// What protects a running sandbox beyond the layers that every one has.
package struct SandboxCapabilities: Hashable, Sendable {
    package var limitsMemory: Bool
    package var limitsProcesses: Bool
    package var limitsCPU: Bool
    /// Landlock's ABI version, 0 = none.
    package var landlock: Int

    /// Landlock's first version forbids every rename between directories, so it is none for a build.
    package var hasLandlock: Bool { landlock >= 2 }

    /// L4 or L3; what has less does not start.
    package var level: SandboxLevel { limitsMemory && limitsProcesses && hasLandlock ? .full : .reduced }
}

/// Our end of the jail's socket.
struct JailSocket: ~Copyable, Sendable {
    private let descriptor: OwnedDescriptor

    init(_ descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }

    /// Waits for the next record; nil when the jail is gone or talks nonsense.
    func receive() -> JailRecord? {
        var message = sbx_message()
        while true {
            let count = descriptor.withDescriptor {
                recv($0.rawValue, &message, MemoryLayout<sbx_message>.size, 0)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0, sbx_message_check(&message, count) == 0 else { return nil }
            return JailRecord(message)
        }
    }

    /// TERM to the main process group, and the end of everything after `grace`; at once when it is zero.
    func end(after grace: Duration) {
        var record = sbx_record()
        let wait = grace.milliseconds
        sbx_record_init(&record, (wait > 0 ? SBX_RECORD_SIGNAL : SBX_RECORD_KILL).rawValue)
        record.signal = SIGTERM
        record.nanoseconds = UInt64(clamping: wait) * 1_000_000
        // A jail that is gone has ended everything already.
        _ = descriptor.withDescriptor {
            send($0.rawValue, &record, MemoryLayout<sbx_record>.size, Int32(MSG_NOSIGNAL))
        }
    }
}

extension JailRecord {
    fileprivate init?(_ message: sbx_message) {
        let record = message.record
        switch record.kind {
        case SBX_RECORD_VIOLATION.rawValue: self = .refused(RefusedCall(message.violation))
        case SBX_RECORD_STARTED.rawValue:
            self = .started(
                limits: SandboxCapabilities(
                    limitsMemory: record.limits & SBX_LIMIT_MEMORY.rawValue != 0,
                    limitsProcesses: record.limits & SBX_LIMIT_PROCESSES.rawValue != 0,
                    limitsCPU: record.limits & SBX_LIMIT_CPU.rawValue != 0,
                    landlock: Int(record.landlock)
                )
            )
        case SBX_RECORD_TIMING.rawValue:
            self = .timing(step: Int(record.step), .nanoseconds(Int64(clamping: record.nanoseconds)))
        case SBX_RECORD_FAILED.rawValue:
            let step = JailStep(rawValue: Int(record.step))
            let failure = SetupFailure(step: step, errno: Errno(rawValue: record.error))
            self = .ended(JailEnding(record, .setupFailed(failure)))
        case SBX_RECORD_EXEC_FAILED.rawValue:
            self = .ended(JailEnding(record, .execFailed(errno: Int(record.error))))
        case SBX_RECORD_ENDED.rawValue:
            let cause: JailEnding.Cause =
                record.signal != 0 ? .signalled(Int(record.signal)) : .exited(Int(record.code))
            self = .ended(JailEnding(record, cause))
        default: return nil
        }
    }
}

extension JailEnding {
    fileprivate init(_ record: sbx_record, _ cause: Cause) {
        self.cause = cause
        wasCrowded = record.kind == SBX_RECORD_ENDED.rawValue && record.error == ENOBUFS
        oomKills = record.oom_kills
        processDenials = record.process_denials
        cpu = .microseconds(Int64(clamping: record.cpu_user_us) + Int64(clamping: record.cpu_system_us))
        peakMemory = ByteCount(Int64(clamping: record.peak_bytes))
        peakProcesses = record.peak_processes > 0 ? Int(clamping: record.peak_processes) : nil
    }
}
