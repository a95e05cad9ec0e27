// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import ArgumentParser
internal import DrydockOS
internal import FoundationEssentials

/// How a build's journal is shown.
enum OutputForm: String, ExpressibleByArgument, CaseIterable {
    /// A log that scrolls above a line that says where the build is.
    case tty
    /// One line a fact.
    case plain
    /// The journal's records as NDJSON.
    case json

    /// What suits this stdout.
    static var suitable: OutputForm { Console.stdoutIsTerminal && !Console.isDumb ? .tty : .plain }

    var followed: BuildFollower.Output {
        switch self {
        case .tty:
            .view(
                LiveView(
                    write: { Console.raw($0) },
                    width: { Console.width },
                    isColoured: Console.wantsColour
                )
            )
        case .plain: .view(PlainView(write: { Console.out($0) }))
        case .json: .json
        }
    }
}

extension Console {
    /// A value as indented JSON.
    static func json(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        out(String(decoding: try encoder.encode(value), as: UTF8.self))
    }
}
