// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// Hosts that may be reached, and on which ports: `pypi.org`, `*.example.org`, `example.org:8443`, `preset:pip`.
package struct NetworkRule: Hashable, Sendable {
    package enum Hosts: Hashable, Sendable {
        case name(HostName)
        /// Every name that ends with a dot and this one; not this one itself.
        case below(HostName)
        /// Those of a tool's index, wherever the operator has it; it can only be asked for.
        case preset(PresetName)

        package var isPreset: Bool {
            if case .preset = self { true } else { false }
        }
    }

    package var hosts: Hosts
    /// nil = those of the web, 80 and 443.
    package var port: UInt16?

    /// The ports of a rule that names none.
    package static let webPorts: [UInt16] = [80, 443]
    private static let presetPrefix = "preset:"
    package static let rule = "write the bare name, such as pypi.org, *.example.org or example.org:8443"

    package init(_ hosts: Hosts, port: UInt16? = nil) {
        self.hosts = hosts
        self.port = port
    }

    /// Reads a rule as it stands in files and on the command line.
    package init(parsing text: String) throws(FieldProblem) {
        let shown = "'\(text.prefix(64))'"
        if text.hasPrefix(Self.presetPrefix) {
            self.init(.preset(try PresetName(parsing: text.dropFirst(Self.presetPrefix.count))))
            return
        }
        if text.contains("://") {
            throw FieldProblem("\(shown) is an address of the web, not a host", hint: Self.rule)
        }
        if text.contains("/") {
            throw FieldProblem("\(shown) has a path or a range of addresses", hint: Self.rule)
        }
        if text.hasPrefix("[") || text.utf8.count(where: { $0 == UInt8(ascii: ":") }) > 1 {
            throw Self.problem(shown, .address)
        }
        var host = text[...]
        var port: UInt16?
        if let colon = text.lastIndex(of: ":") {
            host = text[..<colon]
            let digits = text[text.index(after: colon)...]
            guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt16(digits),
                number > 0
            else {
                throw FieldProblem("\(shown) has a port that is none", hint: "ports are 1 to 65535")
            }
            port = number
        }
        do throws(HostNameProblem) {
            if host.hasPrefix("*.") {
                let suffix = try HostName(host.dropFirst(2))
                // `*.org` would be half of the world.
                guard suffix.text.contains(".") else { throw .label }
                self.init(.below(suffix), port: port)
            } else {
                self.init(.name(try HostName(host)), port: port)
            }
        } catch {
            if host.contains("*") {
                throw FieldProblem(
                    "\(shown) has a * that does not stand for the first parts of a name",
                    hint: "write *.example.org, or the whole name"
                )
            }
            throw Self.problem(shown, error)
        }
    }

    private static func problem(_ shown: String, _ problem: HostNameProblem) -> FieldProblem {
        FieldProblem("\(shown) \(problem.explanation)", hint: problem.hint)
    }

    /// Whether `host` may be reached on `port` by it.
    package func allows(_ host: HostName, port: UInt16) -> Bool {
        (self.port.map { $0 == port } ?? Self.webPorts.contains(port)) && covers(host)
    }

    /// Whether `host` is one of its hosts.
    package func covers(_ host: HostName) -> Bool {
        switch hosts {
        case .name(let name): host == name
        case .below(let suffix): host.isBelow(suffix)
        case .preset: false
        }
    }

    /// Whether it names one host.
    package var isOneName: Bool {
        if case .name = hosts { true } else { false }
    }

    /// What both allow, as one rule; nil where that is nothing.
    package func narrowed(to other: NetworkRule) -> NetworkRule? {
        guard let hosts = Self.common(hosts, other.hosts) else { return nil }
        switch (port, other.port) {
        case (let port, nil):
            return port.map(Self.webPorts.contains) ?? true ? NetworkRule(hosts, port: port) : nil
        case (nil, let port?): return Self.webPorts.contains(port) ? NetworkRule(hosts, port: port) : nil
        case (let mine?, let theirs?): return mine == theirs ? NetworkRule(hosts, port: mine) : nil
        }
    }

    private static func common(_ one: Hosts, _ other: Hosts) -> Hosts? {
        switch (one, other) {
        case (.name(let name), .name(let same)): name == same ? one : nil
        case (.name(let name), .below(let suffix)): name.isBelow(suffix) ? one : nil
        case (.below(let suffix), .name(let name)): name.isBelow(suffix) ? other : nil
        case (.below(let mine), .below(let theirs)):
            mine == theirs || mine.isBelow(theirs) ? one : theirs.isBelow(mine) ? other : nil
        case (.preset(let mine), .preset(let theirs)): mine == theirs ? one : nil
        case (.preset, _), (_, .preset): nil
        }
    }
}

extension NetworkRule: CustomStringConvertible {
    /// As `init(parsing:)` reads it.
    package var description: String {
        let host =
            switch hosts {
            case .name(let name): name.text
            case .below(let suffix): "*." + suffix.text
            case .preset(let name): Self.presetPrefix + name.rawValue
            }
        return host + (port.map { ":\($0)" } ?? "")
    }
}

extension NetworkRule: FieldReadable {
    package init(_ field: Field) throws(FieldProblem) {
        self = try field.parsed { text throws(FieldProblem) in try Self(parsing: text) }
    }
}

extension NetworkRule {
    /// A list of rules, which has an end.
    package static func list(_ field: Field) throws(FieldProblem) -> [NetworkRule] {
        let elements = try field.list()
        guard elements.count <= NetworkPolicy.mostRules else {
            throw field.problem("has \(elements.count) hosts; there may be \(NetworkPolicy.mostRules)")
        }
        var rules: [NetworkRule] = []
        for element in elements {
            let rule = try NetworkRule(element)
            if !rules.contains(rule) { rules.append(rule) }
        }
        return rules
    }
}

extension NetworkRule: Codable {
    package init(from decoder: any Decoder) throws {
        try self.init(parsing: try decoder.singleValueContainer().decode(String.self))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
