// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel

/// Finds every problem of a document whose reader stops at the first one.
///
/// Each problem's part is taken out, and the rest is read again: what a reader says is what the host says later.
struct EveryProblem {
    /// Problems that are told.
    private static let most = 50
    /// Readings of the document.
    private static let mostReadings = 20_000

    private enum Key {
        case field(String)
        case element(Int)
    }

    private let title: String
    private let read: (Field) throws(FieldProblem) -> Void
    private var readings = 0
    /// Elements that were taken out of lists, one after the other.
    private var taken: [(list: String, index: Int)] = []

    /// All that `read` has against `document`, in the order in which it would say so.
    static func find(
        in document: Field,
        title: String,
        _ read: @escaping (Field) throws(FieldProblem) -> Void
    ) -> [FieldProblem] {
        var search = EveryProblem(title: title, read: read)
        return search.all(of: document)
    }

    private init(title: String, read: @escaping (Field) throws(FieldProblem) -> Void) {
        self.title = title
        self.read = read
    }

    private mutating func all(of document: Field) -> [FieldProblem] {
        var (value, places) = (document.value, document.places ?? Places(line: nil))
        var problems: [FieldProblem] = []
        while problems.count < Self.most, let problem = problem(value, places) {
            problems.append(asWritten(problem))
            guard let path = blame(problem, value, places) else { break }
            if case .element(let index)? = path.last { taken.append((Self.name(path.dropLast()), index)) }
            (value, places) = Self.without(path[...], value, places)
        }
        return problems
    }

    /// The problem with the index that an element has in the file.
    private func asWritten(_ problem: FieldProblem) -> FieldProblem {
        var problem = problem
        for list in Set(taken.map(\.list)) {
            let start = "'\(list)["
            guard let found = problem.message.firstRange(of: start) else { continue }
            let digits = problem.message[found.upperBound...].prefix { $0.isNumber }
            guard var index = Int(digits) else { continue }
            for earlier in taken.reversed() where earlier.list == list && earlier.index <= index {
                index += 1
            }
            problem.message.replaceSubrange(digits.startIndex..<digits.endIndex, with: "\(index)")
        }
        return problem
    }

    private static func name(_ path: ArraySlice<Key>) -> String {
        path.reduce("") { name, key in
            switch key {
            case .field(let field): name.isEmpty ? field : "\(name).\(field)"
            case .element(let index): "\(name)[\(index)]"
            }
        }
    }

    private mutating func problem(_ value: JSON, _ places: Places) -> FieldProblem? {
        readings += 1
        guard readings <= Self.mostReadings else { return nil }
        do throws(FieldProblem) {
            try read(Field(value, title, .document, places: places))
            return nil
        } catch {
            return error
        }
    }

    /// The smallest part without which there is another problem, or none; nil where it is no part's, as of what is missing.
    private mutating func blame(_ problem: FieldProblem, _ value: JSON, _ places: Places) -> [Key]? {
        var path: [Key] = []
        var (inner, innerPlaces) = (value, places)
        while let key = culprit(problem, value, places, below: path, Self.keys(inner, innerPlaces)) {
            path.append(key)
            (inner, innerPlaces) = Self.part(key, inner, innerPlaces)
        }
        return path.isEmpty ? nil : path
    }

    private mutating func culprit(
        _ problem: FieldProblem,
        _ value: JSON,
        _ places: Places,
        below path: [Key],
        _ keys: [Key]
    ) -> Key? {
        for key in keys {
            let (rest, restPlaces) = Self.without((path + [key])[...], value, places)
            let next = self.problem(rest, restPlaces)
            // What is only missing because it was taken out is no answer: the part around it is.
            if case .field(let name) = key, next?.message.hasSuffix("\(name)' is missing") == true {
                continue
            }
            if next != problem { return key }
        }
        return nil
    }

    /// The parts of a value in the order of the file; of a list the last one first, so that those before it keep their names.
    private static func keys(_ value: JSON, _ places: Places) -> [Key] {
        switch value {
        case .object(let fields):
            fields.keys.sorted { left, right in
                (places.fields[left]?.keyLine ?? 0, left) < (places.fields[right]?.keyLine ?? 0, right)
            }.map(Key.field)
        case .array(let elements): elements.indices.reversed().map(Key.element)
        default: []
        }
    }

    private static func part(_ key: Key, _ value: JSON, _ places: Places) -> (JSON, Places) {
        let none = Places(line: nil)
        switch (key, value) {
        case (.field(let name), .object(let fields)):
            return (fields[name] ?? .null, places.fields[name]?.places ?? none)
        case (.element(let index), .array(let elements)):
            return (elements[index], index < places.elements.count ? places.elements[index] : none)
        default: return (.null, none)
        }
    }

    private static func without(_ path: ArraySlice<Key>, _ value: JSON, _ places: Places) -> (JSON, Places) {
        guard let key = path.first else { return (value, places) }
        let rest = path.dropFirst()
        var (fieldPlaces, elementPlaces) = (places.fields, places.elements)
        let (inner, innerPlaces) = part(key, value, places)
        let (left, leftPlaces) = without(rest, inner, innerPlaces)
        var result = value
        switch (key, value) {
        case (.field(let name), .object(var fields)):
            fields[name] = rest.isEmpty ? nil : left
            let entry = Places.Entry(keyLine: fieldPlaces[name]?.keyLine, places: leftPlaces)
            fieldPlaces[name] = rest.isEmpty ? nil : entry
            result = .object(fields)
        case (.element(let index), .array(var elements)):
            if rest.isEmpty { elements.remove(at: index) } else { elements[index] = left }
            if index < elementPlaces.count {
                if rest.isEmpty {
                    elementPlaces.remove(at: index)
                } else {
                    elementPlaces[index] = leftPlaces
                }
            }
            result = .array(elements)
        default: break
        }
        return (result, Places(line: places.line, fields: fieldPlaces, elements: elementPlaces))
    }
}
