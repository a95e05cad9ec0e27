// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// How much of the sandbox a machine can do; shown, and never lowered in silence.
package enum SandboxLevel: Int, Codable, Hashable, Sendable, Comparable, CaseIterable {
    /// L0: less than a sandbox; refused.
    case insufficient = 0
    /// L2: no fresh `/proc`, as in a container within a container.
    case withoutProc = 2
    /// L3: no cgroups, so that memory is limited for each process only; or no Landlock, the second wall of the file
    /// system. `drydock doctor` tells which.
    case reduced = 3
    /// L4: everything.
    case full = 4

    /// `L4`, `L3`, `L2` or `L0`.
    package var name: String { "L\(rawValue)" }

    /// Reads `L4` …; nil for anything else.
    package init?(name: String) {
        guard let level = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = level
    }

    /// Less comes first.
    package static func < (left: SandboxLevel, right: SandboxLevel) -> Bool { left.rawValue < right.rawValue }

    /// Reads its name.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let name = try container.decode(String.self)
        guard let level = SandboxLevel(name: name) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(name) is no level")
        }
        self = level
    }

    /// Writes its name.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(name)
    }
}
