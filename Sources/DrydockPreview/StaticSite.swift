// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// The files of one deploy, and which of them answers a path; pure.
package struct StaticSite: Sendable {
    /// What answers a request.
    package enum Resolution: Hashable, Sendable {
        case file(Artifact)
        /// The nearest `404.html`; nil where the site has none.
        case notFound(Artifact?)
        /// To a path of the same site, already percent-encoded.
        case redirect(String)
    }

    /// What a file is called below the root: a text whose bytes count, not what a reader would see in them.
    private struct Name: StringIdentifier {
        let rawValue: String
    }

    private let files: [Name: Artifact]
    private let isSinglePage: Bool

    /// The site whose root is the directory `rule.root` of `artifacts`; empty = all of them.
    package init(artifacts: [Artifact], rule: PreviewReady) {
        let root = PathRule.split(rule.root).filter { $0 != "." }.joined(separator: "/")
        let prefix = root.isEmpty ? "" : root + "/"
        var files: [Name: Artifact] = [:]
        for artifact in artifacts where artifact.path.utf8.starts(with: prefix.utf8) {
            let name = Substring(artifact.path.utf8.dropFirst(prefix.utf8.count))
            files[Name(rawValue: String(name))] = artifact
        }
        self.files = files
        self.isSinglePage = rule.spa
    }

    /// Answers `path`, percent-encoded and without its query, as it stands in the request.
    ///
    /// Order: the file itself, the same with `.html`, `index.html` of a directory (with a final slash), the single
    /// page where the site is one and a person navigates, the nearest `404.html` upward.
    package func resolve(path: String, isNavigation: Bool) -> Resolution {
        let slash = UInt8(ascii: "/")
        guard let decoded = PercentCoding.decode(path), decoded.utf8.first == slash else {
            return .notFound(named("404.html"))
        }
        let isDirectory = decoded.utf8.last == slash
        let name = PathRule.split(decoded).joined(separator: "/")
        // Doubled slashes lead to the address that caches and relative links agree on.
        let canonical = "/" + name + (isDirectory && !name.isEmpty ? "/" : "")
        guard canonical.utf8.elementsEqual(decoded.utf8) else {
            return .redirect(PercentCoding.encode(canonical))
        }
        if isDirectory {
            if let index = named(name.isEmpty ? "index.html" : name + "/index.html") { return .file(index) }
            if !name.isEmpty, named(name + ".html") != nil {
                return .redirect(PercentCoding.encode("/" + name))
            }
        } else if let file = named(name) ?? named(name + ".html") {
            return .file(file)
        } else if named(name + "/index.html") != nil {
            return .redirect(PercentCoding.encode(canonical + "/"))
        }
        if isSinglePage, isNavigation, let page = named("index.html") { return .file(page) }
        return .notFound(nearestNotFound(name))
    }

    private func named(_ name: String) -> Artifact? { files[Name(rawValue: name)] }

    private func nearestNotFound(_ name: String) -> Artifact? {
        var parts = PathRule.split(name).dropLast()
        while true {
            let path = (parts + ["404.html"]).joined(separator: "/")
            if let page = named(path) { return page }
            guard !parts.isEmpty else { return nil }
            parts.removeLast()
        }
    }
}

/// Percent coding of paths (RFC 3986, section 2.1).
package enum PercentCoding {
    /// The text behind `path`; nil for a broken escape, invalid UTF-8 or a NUL.
    package static func decode(_ path: String) -> String? {
        guard let text = decodeText(path), !text.utf8.contains(0) else { return nil }
        return text
    }

    /// The same for what is no path, and may hold a NUL.
    package static func decodeText(_ path: some StringProtocol) -> String? {
        var bytes: [UInt8] = []
        var rest = Substring(path).utf8
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// `path` with everything escaped that may not stand in a URL's path.
    package static func encode(_ path: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in path.utf8 {
            if isPlain(byte) {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: "-._~/!$&'()*+,;=:@".utf8.contains(byte)
        }
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
