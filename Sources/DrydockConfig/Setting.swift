// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

/// One key of the configuration: the schema is the list of all of them.
struct Setting: Sendable {
    /// What a value is, as the table in docs/configuration.md says.
    enum Kind: String, Sendable {
        case text
        case texts = "list of texts"
        case size
        case duration = "time"
        case number
        case level = "L4, L3, L2 or L0"
    }

    /// With its table: `limits.memory`.
    let key: String
    let kind: Kind
    let apply: @Sendable (inout ServerConfiguration, Field) throws(FieldProblem) -> Void

    /// The environment variable that sets it.
    var variable: String {
        "DRYDOCK_" + key.uppercased().map { $0 == "." ? "_" : String($0) }.joined()
    }

    /// The keys of one table, the outermost being `""`, in the order of the schema.
    static func keys(below table: String) -> [String] {
        let prefix = table.isEmpty ? "" : table + "."
        var keys: [String] = []
        for setting in all where setting.key.hasPrefix(prefix) {
            let key = setting.key.dropFirst(prefix.count).prefix { $0 != "." }
            if !keys.contains(String(key)) { keys.append(String(key)) }
        }
        return keys
    }

    static let all: [Setting] = general + limits + network + places + retention
}

// MARK: The schema

extension Setting {
    private typealias Path<Value> = any WritableKeyPath<ServerConfiguration, Value> & Sendable

    private static func text(_ key: String, _ path: Path<String>) -> Setting {
        Setting(key: key, kind: .text) { configuration, field throws(FieldProblem) in
            configuration[keyPath: path] = try field.filled()
        }
    }

    private static func text(_ key: String, _ path: Path<String?>) -> Setting {
        Setting(key: key, kind: .text) { configuration, field throws(FieldProblem) in
            configuration[keyPath: path] = try field.filled()
        }
    }

    private static func texts(_ key: String, _ path: Path<[String]>) -> Setting {
        Setting(key: key, kind: .texts) { configuration, field throws(FieldProblem) in
            configuration[keyPath: path] = try field.texts(allFilled: true)
        }
    }

    private static func size(
        _ key: String,
        _ path: Path<ByteCount>,
        in range: ClosedRange<ByteCount> = ByteCount(1)...ByteCount(.max)
    ) -> Setting {
        Setting(key: key, kind: .size) { configuration, field throws(FieldProblem) in
            configuration[keyPath: path] = try field.size(in: range)
        }
    }

    private static func duration(_ key: String, _ path: Path<Duration>) -> Setting {
        Setting(key: key, kind: .duration) { configuration, field throws(FieldProblem) in
            configuration[keyPath: path] = try field.duration()
        }
    }

    private static func integer(_ key: String, _ path: Path<Int>, in range: ClosedRange<Int>) -> Setting {
        Setting(key: key, kind: .number) { configuration, field throws(FieldProblem) in
            configuration[keyPath: path] = try field.integer(in: range)
        }
    }

    /// A key that is known so that it can be refused: nothing reads it yet.
    private static func unsupported(_ key: String, _ kind: Kind, instead: String) -> Setting {
        Setting(key: key, kind: kind) { _, field throws(FieldProblem) in
            throw field.unsupported(instead: instead)
        }
    }

    /// Absolute paths: a relative one would depend on where the server was started.
    private static func directories(_ key: String, _ path: Path<[String]>) -> Setting {
        Setting(key: key, kind: .texts) { configuration, field throws(FieldProblem) in
            let directories = try field.texts(allFilled: true)
            for directory in directories where !directory.hasPrefix("/") {
                throw field.problem(
                    "has '\(directory.prefix(64))', which is no absolute path",
                    hint: "begin it with /"
                )
            }
            configuration[keyPath: path] = directories
        }
    }

    private static func path(_ key: String, _ path: Path<String?>) -> Setting {
        Setting(key: key, kind: .text) { configuration, field throws(FieldProblem) in
            let text = try field.filled()
            guard text.hasPrefix("/") else { throw field.problem("is no absolute path") }
            configuration[keyPath: path] = text
        }
    }

    private static func ranges(_ field: Field) throws(FieldProblem) -> [AddressRange] {
        var ranges: [AddressRange] = []
        for text in try field.texts(allFilled: true) {
            guard let range = AddressRange(text) else {
                throw field.problem(
                    "has '\(text.prefix(64))', which is no address and no range of addresses",
                    hint: "write 127.0.0.1, 10.1.0.0/16 or 2001:db8::/32; bits behind the prefix must be 0"
                )
            }
            ranges.append(range)
        }
        return ranges
    }

    private static let general: [Setting] = [
        Setting(key: "listen", kind: .text) { configuration, field throws(FieldProblem) in
            let address = try field.filled()
            let port = address.split(separator: ":").last.flatMap { Int($0) }
            guard address.contains(":"), let port, (0...65_535).contains(port) else {
                throw field.problem(
                    "can not be '\(address.prefix(64))'",
                    hint: "write HOST:PORT, such as 127.0.0.1:8080"
                )
            }
            configuration.listen = address
        },
        text("data", \.data),
        texts("plugins", \.plugins),
        texts("origins", \.origins),
        text("tokens", \.tokens),
        Setting(key: "trusted_proxies", kind: .texts) { configuration, field throws(FieldProblem) in
            configuration.trustedProxies = try ranges(field)
        },
        integer("connections.per_address", \.connections.perAddress, in: 1...1_000_000),
        integer("connections.per_token", \.connections.perToken, in: 1...1_000_000),
        integer("queue.all", \.queue.all, in: 1...1_000_000),
        integer("queue.per_token", \.queue.perToken, in: 1...1_000_000),
        integer("queue.per_session", \.queue.perSession, in: 1...1_000_000),
        directories("toolchain", \.toolchain),
        texts("rootfs.allow", \.roots),
        integer("slots", \.slots, in: 1...1_024),
        path("secrets", \.secrets),
        path("tls.certificate", \.tls.certificate),
        path("tls.key", \.tls.key),
        Setting(key: "minimum_level", kind: .level) { configuration, field throws(FieldProblem) in
            configuration.policy.minimumLevel = try SandboxLevel(field)
        },
        Setting(key: "profiles", kind: .texts) { configuration, field throws(FieldProblem) in
            configuration.policy.profiles = try field.list()
                .map { element throws(FieldProblem) in try SandboxProfile(element) }
                .filter { $0 != .strict }
        },
    ]

    private static let limits: [Setting] = [
        size("limits.memory", \.policy.limits.memory, in: LimitBounds.memory),
        integer("limits.processes", \.policy.limits.processes, in: LimitBounds.processes),
        size("limits.disk", \.policy.limits.disk, in: LimitBounds.disk),
        size("limits.file_size", \.policy.limits.fileSize, in: LimitBounds.fileSize),
        integer("limits.open_files", \.policy.limits.openFiles, in: LimitBounds.openFiles),
        Setting(key: "limits.cpus", kind: .number) { configuration, field throws(FieldProblem) in
            configuration.policy.limits.cpus = try field.number(in: LimitBounds.cpus)
        },
        duration("limits.total", \.policy.limits.total),
        duration("limits.step", \.policy.limits.step),
        duration("limits.silence", \.policy.limits.silence),
        size("limits.network", \.policy.limits.network, in: LimitBounds.network),
        Setting(key: "limits.log", kind: .size) { configuration, field throws(FieldProblem) in
            let size = try field.size()
            if size > .mebibytes(256) { throw field.problem("must be 256MiB at most") }
            configuration.policy.limits.log = size
        },
    ]

    private static let retention: [Setting] = [
        Setting(key: "retention.age", kind: .duration) { configuration, field throws(FieldProblem) in
            let longest = Duration.seconds(100 * 366 * 24 * 3_600)
            configuration.retention.age = try field.duration(atMost: longest)
        },
        Setting(key: "retention.builds", kind: .number) { configuration, field throws(FieldProblem) in
            configuration.retention.builds = try field.integer(in: 1...1_000_000_000)
        },
        Setting(key: "retention.size", kind: .size) { configuration, field throws(FieldProblem) in
            configuration.retention.size = try field.size()
        },
    ]

    private static let places: [Setting] = [
        directories("sources.paths", \.sources.paths),
        texts("sources.git", \.sources.git),
        size("sources.upload", \.sources.upload),
        size("sources.size", \.sources.size),
        integer("sources.files", \.sources.files, in: 1...10_000_000),
        text("preview.domain", \.preview.domain),
        Setting(key: "project_cache.size", kind: .size) { configuration, field throws(FieldProblem) in
            configuration.projectCache.size = field.value == .string("none") ? ByteCount(0) : try field.size()
        },
        size("project_cache.total", \.projectCache.total),
        unsupported("uids.first", .number, instead: "as root, sandboxes belong to user 101000"),
        unsupported("uids.count", .number, instead: "as root, sandboxes belong to user 101000"),
    ]
}
