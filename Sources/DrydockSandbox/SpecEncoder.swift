// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import CSandboxWire
internal import DrydockModel

/// What the encoder needs beside the spec.
package struct SpecOptions: Sendable {
    /// Who the step is outside.
    package var identity: SandboxIdentity
    /// Whether the jail tells how long each of its steps took.
    package var timings: Timings
    /// The step that fails with EIO, for tests; nil = none.
    package var fault: Int?

    package enum Timings: Sendable {
        case none
        case reported
    }

    package init(
        identity: SandboxIdentity = .current,
        timings: Timings = .none,
        fault: Int? = nil
    ) {
        self.identity = identity
        self.timings = timings
        self.fault = fault
    }
}

extension SandboxSpec {
    /// The spec as `drydock-jail` reads it, for a file (`--spec`) or a descriptor.
    ///
    /// Looks at the host's top directory to know what the toolchain is made of. Source: sbx_spec.h.
    package func encoded(_ options: SpecOptions = SpecOptions()) throws(SandboxError) -> [UInt8] {
        try check()
        var encoder = SpecEncoder()
        for argument in argv { try encoder.add(SBX_TAG_ARGUMENT, text: argument) }
        for (name, value) in environment.sorted(by: { $0.key < $1.key }) {
            try encoder.add(SBX_TAG_ENVIRONMENT, text: "\(name)=\(value)")
        }
        try encoder.add(SBX_TAG_WORKING_DIRECTORY, text: workingDirectory)
        try encoder.add(SBX_TAG_HOST_NAME, text: hostName)
        encoder.add(SBX_TAG_SETTINGS, value: settings(options))
        encoder.add(SBX_TAG_LIMITS, value: limitNumbers)
        for entry in RootPlan(of: self).entries { try encoder.add(entry) }
        for listener in listeners { encoder.add(SBX_TAG_LISTENER, value: sbx_listener(listener)) }
        return try encoder.finished()
    }

    private func settings(_ options: SpecOptions) -> sbx_settings {
        var flags: UInt32 = 0
        if options.timings == .reported { flags |= SBX_OPTION_TIMINGS.rawValue }
        if policy.minimumLevel == .full {
            flags |= SBX_OPTION_REQUIRE_CGROUPS.rawValue | SBX_OPTION_REQUIRE_LANDLOCK.rawValue
        }
        return sbx_settings(
            profile: filters.rawValue,
            options: flags,
            outside_id: options.identity.isForeign ? options.identity.hostUser : 0,
            fault_step: UInt32(clamping: options.fault ?? 0)
        )
    }

    private var filters: sbx_profile {
        if tenant == .tool { return SBX_PROFILE_TOOL }
        return profile == .debug ? SBX_PROFILE_DEBUG : SBX_PROFILE_STRICT
    }

    private var limitNumbers: sbx_limits {
        let memory = UInt64(limits.memory.bytes)
        return sbx_limits(
            memory_bytes: memory,
            processes: UInt64(clamping: limits.processes),
            file_size_bytes: UInt64(limits.fileSize.bytes),
            open_files: UInt64(clamping: limits.openFiles),
            cpu_millis: limits.cpus.map { UInt64(min(max($0, 0.01), 100_000) * 1_000) } ?? 0,
            // Its pages count as the sandbox's memory: half of it leaves room for the processes that fill it.
            scratch_bytes: max(memory / 2, 1 << 20)
        )
    }

    private func check() throws(SandboxError) {
        // Until there is one: an equal of strict under another name would be a lie.
        guard profile != .browser else { throw .invalidSpec("there is no profile 'browser' yet") }
        guard let program = argv.first, !program.isEmpty else { throw .invalidSpec("the command is empty") }
        for name in environment.keys where name.isEmpty || name.utf8.contains(UInt8(ascii: "=")) {
            throw .invalidSpec("'\(name)' can not be the name of an environment variable")
        }
        for path in [workingDirectory] + mounts.map(\.target) where !Self.isPlain(path) {
            throw .invalidSpec("\(path) is not a plain absolute path inside the sandbox")
        }
        for mount in mounts where !mount.source.hasPrefix("/") || mount.target == "/" {
            throw .invalidSpec("\(mount.source) can not be mounted at \(mount.target)")
        }
        guard listeners.count <= Int(SBX_MAX_LISTENERS) else {
            throw .invalidSpec("there are more than \(SBX_MAX_LISTENERS) listeners")
        }
        guard limits.memory.bytes > 0, limits.processes > 0, limits.openFiles > 2, limits.fileSize.bytes > 0
        else {
            throw .invalidSpec("a limit of the sandbox is zero")
        }
    }

    /// Absolute, and without a component that leads up, stays, or is empty.
    private static func isPlain(_ path: String) -> Bool {
        guard path.hasPrefix("/") else { return false }
        if path == "/" { return true }
        return path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
            .allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
    }
}

extension sbx_listener {
    fileprivate init(_ listener: SandboxListener) {
        let transport = listener.transport == .tcp ? SBX_TRANSPORT_TCP : SBX_TRANSPORT_UDP
        self.init(transport: transport.rawValue, address: listener.address, port: UInt32(listener.port))
    }
}

/// Writes fields one after the other.
private struct SpecEncoder {
    private var bytes: [UInt8] = []

    /// One text, ended by NUL.
    mutating func add(_ tag: sbx_tag, text: String) throws(SandboxError) {
        var payload: [UInt8] = []
        try Self.append(text, to: &payload)
        add(tag, payload: payload)
    }

    /// One struct, as it lies in memory: the reader is on the same machine.
    mutating func add<Value: BitwiseCopyable>(_ tag: sbx_tag, value: Value) {
        add(tag, payload: withUnsafeBytes(of: value) { Array($0) })
    }

    mutating func add(_ entry: RootPlan.Entry) throws(SandboxError) {
        let head = sbx_entry_header(kind: entry.kind, options: entry.options)
        var payload = withUnsafeBytes(of: head) { Array($0) }
        for text in [entry.source, entry.target, entry.content] { try Self.append(text, to: &payload) }
        add(SBX_TAG_ENTRY, payload: payload)
    }

    func finished() throws(SandboxError) -> [UInt8] {
        let size = bytes.count + MemoryLayout<sbx_spec_header>.size
        guard size <= Int(SBX_SPEC_MAX_BYTES) else {
            throw .invalidSpec("command and environment are larger than \(SBX_SPEC_MAX_BYTES >> 20) MiB")
        }
        let head = sbx_spec_header(magic: SBX_SPEC_MAGIC, size: UInt32(size))
        return withUnsafeBytes(of: head) { Array($0) } + bytes
    }

    private mutating func add(_ tag: sbx_tag, payload: [UInt8]) {
        let head = sbx_field_header(tag: tag.rawValue, length: UInt32(payload.count))
        withUnsafeBytes(of: head) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: payload)
    }

    private static func append(_ text: String, to payload: inout [UInt8]) throws(SandboxError) {
        guard !text.utf8.contains(0) else { throw .invalidSpec("a text of the spec has a NUL byte") }
        payload.append(contentsOf: text.utf8)
        payload.append(0)
    }
}
