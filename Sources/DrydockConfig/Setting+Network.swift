// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

extension Setting {
    static let network: [Setting] = [
        Setting(key: "network.allow", kind: .texts) { configuration, field throws(FieldProblem) in
            configuration.policy.network = NetworkPolicy(try hosts(field))
        },
        Setting(key: "network.opaque", kind: .texts) { configuration, field throws(FieldProblem) in
            configuration.network.opaque = try hosts(field)
        },
        Setting(key: "network.presets", kind: .texts) { configuration, field throws(FieldProblem) in
            configuration.network.presets = try field.list().map(PresetName.init)
        },
        Setting(key: "network.mirrors", kind: .texts) { configuration, field throws(FieldProblem) in
            configuration.network.mirrors = [:]
            for (name, url) in try pairs(field, "TOOL=URL, such as pip=https://index.example.org/simple") {
                do throws(FieldProblem) {
                    configuration.network.mirrors[try PresetName(parsing: name)] = try IndexURL(parsing: url)
                } catch {
                    throw field.problem("has for \(name): \(error.message)", hint: error.hint)
                }
            }
        },
        Setting(key: "network.proxy", kind: .text) { configuration, field throws(FieldProblem) in
            let text = try field.filled()
            let proxy: IndexURL
            do throws(FieldProblem) {
                proxy = try IndexURL(parsing: text)
            } catch {
                throw field.problem(error.message, hint: "write http://HOST:PORT")
            }
            guard !proxy.isSecure, proxy.path.isEmpty || proxy.path == "/" else {
                throw field.problem("is not the address of a proxy", hint: "write http://HOST:PORT")
            }
            configuration.network.proxy = proxy
        },
        Setting(key: "network.roots", kind: .text) { configuration, field throws(FieldProblem) in
            let path = try field.filled()
            guard path.hasPrefix("/") else { throw field.problem("is no absolute path") }
            configuration.network.roots = path
        },
        Setting(key: "network.cache.hosts", kind: .texts) { configuration, field throws(FieldProblem) in
            configuration.network.cache.hosts = try cachedHosts(field)
        },
        Setting(key: "network.cache.lifetime", kind: .duration) { configuration, field throws(FieldProblem) in
            configuration.network.cache.lifetime = try field.duration()
        },
        Setting(key: "network.cache.size", kind: .size) { configuration, field throws(FieldProblem) in
            let size = try field.size()
            if size < .mebibytes(64) { throw field.problem("must be 64MiB at least") }
            configuration.network.cache.size = size
        },
        Setting(key: "network.addresses", kind: .texts) { configuration, field throws(FieldProblem) in
            configuration.network.addresses = try addresses(field)
        },
    ]

    /// A list of hosts, which holds no wishes.
    private static func hosts(_ field: Field) throws(FieldProblem) -> [NetworkRule] {
        let rules = try NetworkRule.list(field)
        if case .preset(let name)? = rules.lazy.map(\.hosts).first(where: \.isPreset) {
            throw field.problem(
                "has 'preset:\(name)', which can only be asked for",
                hint: "grant it with network.presets: [\(name)]"
            )
        }
        return rules
    }

    /// A list of names and of tools whose answers can be kept: TLS ends in the proxy for each.
    private static func cachedHosts(_ field: Field) throws(FieldProblem) -> [NetworkRule] {
        let rules = try NetworkRule.list(field)
        for rule in rules {
            switch rule.hosts {
            case .name, .preset: break
            case .below:
                throw field.problem("has '\(rule)', which is no one host", hint: "name each host")
            }
        }
        return rules
    }

    /// A list of `HOST=RANGE`.
    private static func addresses(_ field: Field) throws(FieldProblem) -> [HostName: [AddressRange]] {
        let form = "HOST=RANGE, such as index.example.org=10.1.0.0/16"
        var addresses: [HostName: [AddressRange]] = [:]
        for (name, range) in try pairs(field, form) {
            guard let host = try? HostName(name), let range = AddressRange(range) else {
                throw field.problem(
                    "has '\(name.prefix(64))=\(range.prefix(64))', which is no host with a range of addresses",
                    hint: "write \(form)"
                )
            }
            addresses[host, default: []].append(range)
        }
        return addresses
    }

    /// A list of `NAME=VALUE`, in its order.
    private static func pairs(
        _ field: Field,
        _ form: String
    ) throws(FieldProblem) -> [(name: Substring, value: Substring)] {
        var pairs: [(name: Substring, value: Substring)] = []
        for text in try field.texts(allFilled: true) {
            guard let equals = text.firstIndex(of: "=") else {
                throw field.problem("has '\(text.prefix(64))', which has no =", hint: "write \(form)")
            }
            pairs.append((text[..<equals], text[text.index(after: equals)...]))
        }
        return pairs
    }
}
