// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel

extension RefusedCall {
    /// What it means, for people.
    var violation: Violation {
        let purpose = CallPurpose.of(self)
        guard count == 1 else { return Violation(call: call, count: count, isProbe: purpose.isProbe) }
        return Violation(
            call: call,
            target: target,
            error: Self.errorNames[errno],
            wants: purpose.words,
            allow: purpose.allow,
            pid: process,
            program: program.isEmpty ? nil : program,
            isProbe: purpose.isProbe
        )
    }

    /// The arguments that matter; nil where the name says it all.
    var target: String? {
        switch call {
        case "mount": texts.count == 2 ? "\(texts[1]) on \(texts[0])" : texts.first
        case "unshare": Self.flags(int(0), Self.namespaces)
        case "clone": Self.flags(int(0), Self.namespaces)
        case "setns": int(1) == 0 ? nil : Self.flags(int(1), Self.namespaces)
        case "socket": socket
        case "ptrace": Self.name(int(0), Self.traces, "request")
        case "bpf": Self.name(int(0), Self.bpfCommands, "command")
        case "keyctl": Self.name(int(0), Self.keyCommands, "operation")
        case "ioctl": Self.name(int(1), Self.terminalRequests, "request")
        case "fcntl": Self.name(int(1), Self.fileCommands, "command")
        case "setsockopt": Self.name(int(2), Self.socketOptions, "option")
        case "seccomp": "SECCOMP_SET_MODE_FILTER"
        case "prctl": "PR_SET_SECCOMP"
        case "chmod", "creat", "mknod": file(mode: int(1))
        case "fchmod": file(mode: int(1))
        case "fchmodat", "mknodat", "open": file(mode: int(2))
        case "openat": file(mode: int(3))
        case "add_key", "request_key": texts.isEmpty ? nil : texts.joined(separator: " ")
        case "process_vm_readv", "process_vm_writev": "process \(Int32(bitPattern: int(0)))"
        default: texts.first
        }
    }

    /// A file and its mode: `tool 4755`, `null c 0666`.
    private func file(mode: UInt32) -> String {
        let kinds: [UInt32: String] = [0o020000: "c", 0o060000: "b"]
        let bits = String(mode & 0o7777, radix: 8)
        let padded = String(repeating: "0", count: max(0, 4 - bits.count)) + bits
        let parts: [String?] = [texts.first, kinds[mode & 0o170000], padded]
        return parts.compactMap(\.self).joined(separator: " ")
    }

    private var socket: String {
        let family = Self.name(int(0), Self.families, "family")
        let kind = Self.name(int(1) & 0xf, Self.kinds, "kind")
        guard int(2) != 0 else { return "\(family) \(kind)" }
        let protocols = int(0) == 16 ? Self.netlinkProtocols : Self.protocols
        return "\(family) \(kind) \(Self.name(int(2), protocols, "protocol"))"
    }

    /// The name of a number, or what it is a number of.
    private static func name(_ number: UInt32, _ names: [UInt32: String], _ what: String) -> String {
        names[number] ?? "\(what) \(Int32(bitPattern: number))"
    }

    private static func flags(_ number: UInt32, _ names: [(UInt32, String)]) -> String? {
        let set = names.filter { number & $0.0 != 0 }.map(\.1)
        return set.isEmpty ? nil : set.joined(separator: " ")
    }
}
