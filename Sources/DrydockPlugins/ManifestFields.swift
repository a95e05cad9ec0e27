// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

/// The fields of an object in a manifest, read with reasons.
struct ManifestFields {
    let values: [String: JSON]
    /// What it is, for messages.
    private let place: String

    init(_ json: JSON, at place: String) throws(ManifestProblem) {
        guard case .object(let values) = json else { throw ManifestProblem("\(place) is not an object") }
        self.values = values
        self.place = place
    }

    /// Refuses keys that nobody would read.
    func allow(only known: Set<String>) throws(ManifestProblem) {
        guard let stranger = values.keys.sorted().first(where: { !known.contains($0) }) else { return }
        throw ManifestProblem(
            "\(place) has a key \"\(stranger)\"; there are \(known.sorted().joined(separator: ", "))"
        )
    }

    private func wrong(_ key: String, _ expected: String) -> ManifestProblem {
        ManifestProblem("\"\(key)\" of \(place) is not \(expected)")
    }

    func text(_ key: String) throws(ManifestProblem) -> String? {
        guard let value = values[key] else { return nil }
        guard let text = value.string, text.utf8.count <= 4_096, !text.utf8.contains(0)
        else { throw wrong(key, "a text of at most 4096 bytes") }
        return text
    }

    func required(_ key: String) throws(ManifestProblem) -> String {
        guard let text = try text(key), !text.isEmpty else {
            throw ManifestProblem("\(place) has no \"\(key)\"")
        }
        return text
    }

    func texts(_ key: String) throws(ManifestProblem) -> [String]? {
        guard let value = values[key] else { return nil }
        guard let elements = value.array else { throw wrong(key, "a list of texts") }
        let texts = elements.compactMap(\.string)
        guard texts.count == elements.count, !texts.contains(where: { $0.utf8.contains(0) })
        else { throw wrong(key, "a list of texts") }
        return texts
    }

    func number(_ key: String, in range: ClosedRange<Double>) throws(ManifestProblem) -> Double? {
        guard let value = values[key] else { return nil }
        guard let number = value.number, range.contains(number)
        else { throw wrong(key, "a number from \(range.lowerBound) to \(range.upperBound)") }
        return number
    }

    func integer(_ key: String, in range: ClosedRange<Int>) throws(ManifestProblem) -> Int? {
        guard let value = values[key] else { return nil }
        guard let integer = value.integer, range.contains(integer)
        else { throw wrong(key, "a whole number from \(range.lowerBound) to \(range.upperBound)") }
        return integer
    }

    func seconds(_ key: String) throws(ManifestProblem) -> Duration? {
        try number(key, in: 0.001...604_800).map { .milliseconds(Int64($0 * 1_000)) }
    }

    func bool(_ key: String) throws(ManifestProblem) -> Bool? {
        guard let value = values[key] else { return nil }
        guard let bool = value.bool else { throw wrong(key, "true or false") }
        return bool
    }

    func choice<Value: RawRepresentable<String> & CaseIterable>(
        _ key: String,
        of kind: Value.Type
    ) throws(ManifestProblem) -> Value? {
        guard let text = try text(key) else { return nil }
        guard let value = Value(rawValue: text) else {
            throw wrong(key, "one of " + Value.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return value
    }

    /// An object; `known` nil = any keys.
    func object(_ key: String, allowing known: Set<String>?) throws(ManifestProblem) -> ManifestFields? {
        guard let value = values[key] else { return nil }
        let fields = try ManifestFields(value, at: "\"\(key)\"")
        if let known { try fields.allow(only: known) }
        return fields
    }

    /// The objects of a list, empty where there is none.
    func objects(_ key: String) throws(ManifestProblem) -> [ManifestFields] {
        guard let value = values[key] else { return [] }
        guard let elements = value.array else { throw wrong(key, "a list") }
        var objects: [ManifestFields] = []
        for (index, element) in elements.enumerated() {
            objects.append(try ManifestFields(element, at: "\"\(key)\", entry \(index + 1),"))
        }
        return objects
    }

    func relativePath(_ key: String) throws(ManifestProblem) -> RelativePath {
        try relativePath(of: try required(key), key)
    }

    func relativePaths(_ key: String) throws(ManifestProblem) -> [RelativePath]? {
        try texts(key)?.map { text throws(ManifestProblem) in try relativePath(of: text, key) }
    }

    private func relativePath(of text: String, _ key: String) throws(ManifestProblem) -> RelativePath {
        do throws(PathProblem) {
            return try RelativePath(parsing: text)
        } catch {
            throw ManifestProblem("\"\(key)\" of \(place) \(error.explanation)")
        }
    }

    func name<Name: CheckedName>(_ text: String, _ key: String) throws(ManifestProblem) -> Name {
        guard let name = Name(rawValue: text) else {
            throw ManifestProblem("\"\(key)\" of \(place) can not be \"\(text.prefix(64))\": \(Name.rule)")
        }
        return name
    }
}
