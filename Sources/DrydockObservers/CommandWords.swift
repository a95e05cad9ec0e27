// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// Which programs a command runs, as far as it says so itself.
package enum CommandWords {
    /// Programs of one command at most.
    private static let most = 32
    /// Arguments of a line that stand for its `$@`.
    private static let mostArguments = 1_000
    /// Programs that run the command behind them.
    private static let wrappers: Set<String> = [
        "env", "sudo", "time", "nice", "nohup", "exec", "command", "stdbuf", "timeout", "xargs", "then", "do",
        "else",
        "if", "while", "!", "{", "set",
    ]
    private static let shells: Set<String> = ["sh", "bash", "dash"]

    /// Names of programs, without folders, in their order: `["cmake", "ninja"]` of `cmake -B b && ninja -C b`.
    package static func programs(of argv: [String]) -> [String] {
        guard let first = argv.first else { return [] }
        if shells.contains(name(first)), let lines = lines(of: argv) {
            // Behind the lines stands $0.
            return programs(inLine: lines, arguments: argv.dropFirst(4).prefix(mostArguments))
        }
        return program(argv[...])
    }

    /// The same for a line of shell, or several, that gets `arguments`.
    package static func programs(inLine text: String, arguments: ArraySlice<String> = []) -> [String] {
        var arguments = arguments
        var found: [String] = []
        for command in text.split(whereSeparator: { "\n;&|()`".contains($0) }).prefix(4 * most) {
            let words = command.split(whereSeparator: \.isWhitespace).map(unquoted)
            if words.first == "shift" {
                arguments = arguments.dropFirst(max(0, words.dropFirst().first.flatMap { Int($0) } ?? 1))
            }
            let all = words.firstIndex(of: "$@").map { words[..<$0] + arguments } ?? words[...]
            for program in program(ArraySlice(all)) where !found.contains(program) { found.append(program) }
            if found.count >= most { break }
        }
        return Array(found.prefix(most))
    }

    /// What stands behind `-c`: `-ec` too.
    private static func lines(of argv: [String]) -> String? {
        guard let option = argv.dropFirst().first, option.hasPrefix("-"), option.hasSuffix("c"),
            argv.count > 2
        else { return nil }
        return argv[2]
    }

    /// The program of one command, and those that it starts: as many as there may be, for the words are the project's.
    private static func program(_ words: ArraySlice<String>) -> [String] {
        var rest = words
        var found: [String] = []
        while found.count < most, let word = rest.popFirst() {
            let name = name(word)
            if isAssignment(word) { continue }
            if wrappers.contains(name) {
                // Options of the wrapper, and a number: `nice -n 10`, `timeout 5m`.
                rest = rest.drop { $0.hasPrefix("-") || $0.first?.isNumber == true }
                continue
            }
            guard !name.isEmpty, !word.hasPrefix("-"), !word.hasPrefix("$") else { break }
            found.append(name)
            if shells.contains(name) {
                // `sh ./configure`; what stands behind -c are lines, of which there is one word here.
                guard rest.first.map({ $0.hasPrefix("-") && $0.hasSuffix("c") }) != true else { break }
                rest = rest.drop { $0.hasPrefix("-") }
                continue
            }
            found += module(name, rest)
            guard let started = started(by: name, rest) else { break }
            rest = started
        }
        return Array(found.prefix(most))
    }

    /// `mkdocs` of `python3 -m mkdocs`.
    private static func module(_ name: String, _ rest: ArraySlice<String>) -> [String] {
        guard name.hasPrefix("python"), let option = rest.firstIndex(of: "-m"), option + 1 < rest.endIndex
        else { return [] }
        let module = Self.name(String(rest[option + 1].prefix { $0 != "." }))
        return module.isEmpty ? [] : [module]
    }

    /// Tools whose first word says that another program follows: `uv run pytest`; nil where it follows at once: `npx tsc`.
    private static let runners: [String: String?] = [
        "npx": nil, "uvx": nil, "uv": "run", "poetry": "run", "pipenv": "run", "pdm": "run", "bundle": "exec",
        "pnpm": "exec",
    ]

    /// The command that a tool starts, from its program on; nil where it starts none.
    private static func started(by name: String, _ rest: ArraySlice<String>) -> ArraySlice<String>? {
        guard let word = runners[name] else { return nil }
        if let word, rest.first != word { return nil }
        return rest.dropFirst(word == nil ? 0 : 1).drop { $0.hasPrefix("-") }
    }

    private static func isAssignment(_ word: String) -> Bool {
        guard let sign = word.firstIndex(of: "="), sign != word.startIndex else { return false }
        return word[..<sign].allSatisfy { $0 == "_" || $0.isLetter || $0.isNumber }
    }

    private static func name(_ word: String) -> String {
        String(word[(word.lastIndex(of: "/").map { word.index(after: $0) } ?? word.startIndex)...])
    }

    private static func unquoted(_ word: Substring) -> String { word.filter { $0 != "\"" && $0 != "'" } }
}
