// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
import FoundationEssentials

/// What the host tells a driver: one JSON line each on its standard input.
package enum HostRecord: Hashable, Sendable {
    case welcome
    /// What is asked of the driver; follows the welcome of `run`, or stands alone.
    case request(PluginRequest)
    case execStart(id: String)
    case execEnd(ExecEnd)
    case cancel(reason: String, deadline: Duration)
    /// A record that no version has, for trying whether a driver passes over it.
    case unknown

    /// The line, newline included; keys in alphabetical order, so that a shell can look for them.
    package func encoded() -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // A JSON value of finite numbers always encodes; an empty line would be ignored by the driver.
        let line = (try? encoder.encode(json)).map { [UInt8]($0) } ?? []
        return line + [UInt8(ascii: "\n")]
    }

    private var json: JSON {
        switch self {
        case .welcome: Self.welcomeFields
        case .request(let request): request.json
        case .execStart(let id): ["t": .string("exec.start"), "id": .string(id)].json
        case .execEnd(let end): end.json
        case .cancel(let reason, let deadline):
            [
                "t": .string("cancel"), "reason": .string(reason),
                "deadline_ms": .number(Double(deadline.milliseconds)),
            ].json
        case .unknown: ["t": .string("x-future"), "value": .number(1)].json
        }
    }

    private static var welcomeFields: JSON {
        [
            "t": .string("welcome"), "protocol": .string(PluginRequest.protocolVersion),
            "features": .array(PluginRecord.types.map(JSON.string)),
            "limits": [
                "line": .number(Double(PluginLineLimits.line)),
                "fields": .number(Double(PluginLineLimits.fields)),
                "depth": .number(Double(PluginLineLimits.depth)),
                "records_per_second": .number(500),
            ].json,
        ].json
    }
}

/// How a command that a driver asked for ended.
package struct ExecEnd: Hashable, Sendable {
    package var id: String
    /// nil where a signal, or the host, ended it.
    package var exit: Int?
    package var signal: Int?
    package var oom: Bool
    /// Its time, or its time without output, was up.
    package var timeout: Bool
    package var duration: Duration
    /// The last lines of its output, oldest first, masked.
    package var tail: [String]
    /// Why it was not run at all: the record that asked for it was refused.
    package var error: String?

    package init(
        id: String,
        exit: Int? = nil,
        signal: Int? = nil,
        oom: Bool = false,
        timeout: Bool = false,
        duration: Duration,
        tail: [String]
    ) {
        self.id = id
        self.exit = exit
        self.signal = signal
        self.oom = oom
        self.timeout = timeout
        self.duration = duration
        self.tail = tail
    }

    /// The answer to an `exec` that is not taken; `id` is empty where none could be read.
    package static func refused(id: String, error: String) -> ExecEnd {
        var end = ExecEnd(id: id, duration: .zero, tail: [])
        end.error = error
        return end
    }

    fileprivate var json: JSON {
        var fields: [String: JSON] = [
            "t": .string("exec.end"), "id": .string(id),
            "exit": exit.map { .number(Double($0)) } ?? .null,
            "signal": signal.map { .number(Double($0)) } ?? .null,
            "oom": .bool(oom), "timeout": .bool(timeout),
            "ms": .number(Double(duration.milliseconds)), "tail": .array(tail.map(JSON.string)),
        ]
        fields["error"] = error.map(JSON.string)
        return fields.json
    }
}

/// The request that follows `plugin VERB`.
package struct PluginRequest: Hashable, Sendable {
    package static let protocolVersion = "1.0"

    package var verb: String
    package var build: BuildID?
    package var step: StepID?
    /// Where the project, its results and its cache are, inside.
    package var directories: [String: String]
    /// The names at the top of the project.
    package var files: [String]
    package var with: JSON
    /// Fields that this version does not have, for trying whether a driver passes over them.
    package var additional: [String: JSON] = [:]

    /// What a newer host may add.
    package static let future: [String: JSON] = ["x-newer": ["list": .array([.number(1), .null])].json]

    package init(
        verb: String,
        build: BuildID? = nil,
        step: StepID? = nil,
        directories: [String: String],
        files: [String],
        with: JSON = .object([:])
    ) {
        self.verb = verb
        self.build = build
        self.step = step
        self.directories = directories
        self.files = files
        self.with = with
    }

    fileprivate var json: JSON {
        var fields = additional
        for (name, directory) in directories { fields[name] = .string(directory) }
        fields["verb"] = .string(verb)
        fields["protocol"] = .string(Self.protocolVersion)
        fields["build"] = build.map { .string($0.rawValue) }
        fields["step"] = step.map { .string($0.rawValue) }
        fields["files"] = .array(files.prefix(1_000).map(JSON.string))
        fields["with"] = with
        return .object(fields)
    }
}

extension [String: JSON] {
    fileprivate var json: JSON { .object(self) }
}
