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
    let apply: @Sendable (inout ServerConfiguration, YAMLValue, SettingReader) throws(Failure) -> Void

    /// The environment variable that sets it.
    var variable: String {
        "DRYDOCK_" + key.uppercased().map { $0 == "." ? "_" : String($0) }.joined()
    }

    /// Reads a value out of a variable or flag; lists are divided by commas.
    func value(of text: String) -> YAMLValue {
        switch kind {
        case .text, .size, .duration, .level: YAMLValue(content: .text(text), line: nil)
        case .number: YAMLValue(content: YAMLValue.Content(plain: text), line: nil)
        case .texts:
            YAMLValue(
                content: .list(
                    text.split(separator: ",").map { YAMLValue(content: .text(String($0)), line: nil) }
                ),
                line: nil
            )
        }
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

    static let all: [Setting] = general + limits + places + retention
}

// MARK: The schema

extension Setting {
    private typealias Path<Value> = any WritableKeyPath<ServerConfiguration, Value> & Sendable

    private static func text(_ key: String, _ path: Path<String>) -> Setting {
        Setting(key: key, kind: .text) { configuration, value, reader throws(Failure) in
            configuration[keyPath: path] = try reader.text(value, key)
        }
    }

    private static func text(_ key: String, _ path: Path<String?>) -> Setting {
        Setting(key: key, kind: .text) { configuration, value, reader throws(Failure) in
            configuration[keyPath: path] = try reader.text(value, key)
        }
    }

    private static func texts(_ key: String, _ path: Path<[String]>) -> Setting {
        Setting(key: key, kind: .texts) { configuration, value, reader throws(Failure) in
            configuration[keyPath: path] = try reader.texts(value, key)
        }
    }

    private static func size(_ key: String, _ path: Path<ByteCount>) -> Setting {
        Setting(key: key, kind: .size) { configuration, value, reader throws(Failure) in
            configuration[keyPath: path] = try reader.size(value, key)
        }
    }

    private static func size(
        _ key: String,
        _ path: Path<ByteCount>,
        in range: ClosedRange<ByteCount>
    ) -> Setting {
        Setting(key: key, kind: .size) { configuration, value, reader throws(Failure) in
            configuration[keyPath: path] = try reader.size(value, key, in: range)
        }
    }

    private static func duration(_ key: String, _ path: Path<Duration>) -> Setting {
        Setting(key: key, kind: .duration) { configuration, value, reader throws(Failure) in
            configuration[keyPath: path] = try reader.duration(value, key)
        }
    }

    private static func integer(_ key: String, _ path: Path<Int>, in range: ClosedRange<Int>) -> Setting {
        Setting(key: key, kind: .number) { configuration, value, reader throws(Failure) in
            configuration[keyPath: path] = try reader.integer(value, key, in: range)
        }
    }

    /// A key that is known so that it can be refused: nothing reads it yet.
    private static func unsupported(_ key: String, _ kind: Kind, instead: String) -> Setting {
        Setting(key: key, kind: kind) { _, value, reader throws(Failure) in
            throw reader.unsupported(key, value.line, instead: instead)
        }
    }

    /// Absolute paths: a relative one would depend on where the server was started.
    private static func directories(_ key: String, _ path: Path<[String]>) -> Setting {
        Setting(key: key, kind: .texts) { configuration, value, reader throws(Failure) in
            let directories = try reader.texts(value, key)
            for directory in directories where !directory.hasPrefix("/") {
                throw reader.failure(
                    "'\(key)' has '\(directory.prefix(64))', which is no absolute path",
                    value.line,
                    hint: "begin it with /"
                )
            }
            configuration[keyPath: path] = directories
        }
    }

    private static let general: [Setting] = [
        Setting(key: "listen", kind: .text) { configuration, value, reader throws(Failure) in
            let address = try reader.text(value, "listen")
            let port = address.split(separator: ":").last.flatMap { Int($0) }
            guard address.contains(":"), let port, (0...65_535).contains(port) else {
                throw reader.failure(
                    "'listen' can not be '\(address.prefix(64))'",
                    value.line,
                    hint: "write HOST:PORT, such as 127.0.0.1:8080"
                )
            }
            configuration.listen = address
        },
        text("data", \.data),
        texts("plugins", \.plugins),
        texts("origins", \.origins),
        text("tokens", \.tokens),
        directories("toolchain", \.toolchain),
        integer("slots", \.slots, in: 1...1_024),
        unsupported("secrets", .text, instead: "steps get no secrets"),
        Setting(key: "minimum_level", kind: .level) { configuration, value, reader throws(Failure) in
            configuration.policy.minimumLevel = try reader.choice(value, "minimum_level")
        },
    ]

    private static let limits: [Setting] = [
        size("limits.memory", \.policy.limits.memory, in: LimitBounds.memory),
        integer("limits.processes", \.policy.limits.processes, in: LimitBounds.processes),
        size("limits.disk", \.policy.limits.disk, in: LimitBounds.disk),
        size("limits.file_size", \.policy.limits.fileSize, in: LimitBounds.fileSize),
        integer("limits.open_files", \.policy.limits.openFiles, in: LimitBounds.openFiles),
        Setting(key: "limits.cpus", kind: .number) { configuration, value, reader throws(Failure) in
            configuration.policy.limits.cpus = try reader.number(value, "limits.cpus", in: LimitBounds.cpus)
        },
        duration("limits.total", \.policy.limits.total),
        duration("limits.step", \.policy.limits.step),
        duration("limits.silence", \.policy.limits.silence),
        Setting(key: "limits.log", kind: .size) { configuration, value, reader throws(Failure) in
            let size = try reader.size(value, "limits.log")
            if size > .mebibytes(256) {
                throw reader.failure("'limits.log' must be 256MiB at most", value.line)
            }
            configuration.policy.limits.log = size
        },
    ]

    private static let retention: [Setting] = [
        Setting(key: "retention.age", kind: .duration) { configuration, value, reader throws(Failure) in
            let longest = Duration.seconds(100 * 366 * 24 * 3_600)
            configuration.retention.age = try reader.duration(value, "retention.age", atMost: longest)
        },
        Setting(key: "retention.builds", kind: .number) { configuration, value, reader throws(Failure) in
            configuration.retention.builds = try reader.integer(
                value,
                "retention.builds",
                in: 1...1_000_000_000
            )
        },
        Setting(key: "retention.size", kind: .size) { configuration, value, reader throws(Failure) in
            configuration.retention.size = try reader.size(value, "retention.size")
        },
    ]

    private static let places: [Setting] = [
        directories("sources.paths", \.sources.paths),
        texts("sources.git", \.sources.git),
        size("sources.upload", \.sources.upload),
        size("sources.size", \.sources.size),
        integer("sources.files", \.sources.files, in: 1...10_000_000),
        text("preview.domain", \.preview.domain),
        unsupported("uids.first", .number, instead: "as root, sandboxes belong to user 101000"),
        unsupported("uids.count", .number, instead: "as root, sandboxes belong to user 101000"),
    ]
}
