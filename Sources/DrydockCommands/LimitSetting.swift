// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel

/// One of the limits that `--limit NAME=VALUE` sets.
struct LimitSetting: Sendable {
    let name: String
    /// What it takes, for who wrote something else.
    let values: String
    /// Sets it to what the text says; false when that is none of its values.
    let apply: @Sendable (inout Limits, String) -> Bool

    /// The default limits, and over them what `entries` say.
    static func limits(_ entries: [String]) throws(CommandProblem) -> Limits {
        var limits = Limits()
        for entry in entries {
            let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            guard let setting = all.first(where: { $0.name == name }) else { throw unknown(name, entry) }
            guard parts.count == 2, setting.apply(&limits, String(parts[1])) else {
                throw CommandProblem(.usage, "--limit \(entry)", why: "\(name) takes \(setting.values)")
            }
        }
        return limits
    }

    private static func unknown(_ name: String, _ entry: String) -> CommandProblem {
        let names = all.map(\.name)
        let nearest = Spelling.nearest(name, in: names).map { "did you mean \($0)?" }
        return CommandProblem(
            .usage,
            "--limit \(entry)",
            why: "there is no limit of that name",
            remedy: nearest ?? names.joined(separator: ", ")
        )
    }

    private static let all: [LimitSetting] = [
        size("memory", \.memory, in: LimitBounds.memory),
        count("processes", \.processes, in: LimitBounds.processes),
        count("files", \.openFiles, in: LimitBounds.openFiles),
        size("file-size", \.fileSize, in: LimitBounds.fileSize),
        size("disk", \.disk, in: LimitBounds.disk),
        size("network", \.network, in: LimitBounds.network),
        LimitSetting(name: "cpus", values: "a number of cores \(words(LimitBounds.cpus))") { limits, text in
            guard let cpus = Double(text), LimitBounds.cpus.contains(cpus) else { return false }
            limits.cpus = cpus
            return true
        },
        LimitSetting(name: "total", values: "a time of a week at most, such as 90s or 1h30m") {
            limits,
            text in
            guard let total = Duration(setting: text) else { return false }
            limits.total = total
            return true
        },
    ]

    private typealias Path<Value> = any WritableKeyPath<Limits, Value> & Sendable

    private static func size(
        _ name: String,
        _ path: Path<ByteCount>,
        in range: ClosedRange<ByteCount>
    ) -> LimitSetting {
        LimitSetting(name: name, values: "a size \(words(range)), such as 512MiB") { limits, text in
            guard let size = ByteCount(text: text), range.contains(size) else { return false }
            limits[keyPath: path] = size
            return true
        }
    }

    private static func count(_ name: String, _ path: Path<Int>, in range: ClosedRange<Int>) -> LimitSetting {
        LimitSetting(name: name, values: "a whole number \(words(range))") { limits, text in
            guard let count = Int(text), range.contains(count) else { return false }
            limits[keyPath: path] = count
            return true
        }
    }

    private static func words<Value>(_ range: ClosedRange<Value>) -> String {
        "from \(range.lowerBound) to \(range.upperBound)"
    }
}
