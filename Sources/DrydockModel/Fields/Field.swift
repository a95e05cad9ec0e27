// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// Who wrote a value, and with that what may be expected of it.
package enum FieldForm: Sendable {
    /// A person, in a file: nothing is left out with `null`, and no text holds a NUL.
    case document
    /// A program: `null` is the same as nothing.
    case message
    /// A program, in words: numbers and truth values are read out of texts.
    case words
    /// A person, in one text: as `words`, and lists are divided by commas.
    case setting
}

/// One value that somebody wrote, with its name and its place.
///
/// Asked for as a type it answers with that, or throws what is wrong, where, and what to write instead.
package struct Field: Sendable {
    package let value: JSON
    package let places: Places?
    let form: FieldForm
    /// What the whole is called.
    private let title: String
    /// The name of what this is a part of; empty for the whole and its fields.
    private let parent: String
    /// Its key there; empty for the whole.
    private let key: String

    /// The whole: `title` is what messages call it.
    package init(_ value: JSON, _ title: String, _ form: FieldForm, places: Places? = nil) {
        self.init(value, title: title, parent: "", key: "", form: form, places: places)
    }

    /// A single value that stands for itself under `key`, said by `title`.
    package init(_ value: JSON, key: String, of title: String, _ form: FieldForm) {
        self.init(value, title: title, parent: "", key: key, form: form, places: nil)
    }

    private init(
        _ value: JSON,
        title: String,
        parent: String,
        key: String,
        form: FieldForm,
        places: Places?
    ) {
        self.value = value
        self.title = title
        self.parent = parent
        self.key = key
        self.form = form
        self.places = places
    }

    /// Where it stands in the whole: `steps[2].timeout`; empty for the whole.
    package var name: String {
        parent.isEmpty || key.utf8.first == UInt8(ascii: "[") ? parent + key : "\(parent).\(key)"
    }

    /// As messages call it.
    package var shown: String { name.isEmpty ? title : "'\(name.prefix(128))'" }

    package var line: Int? { places?.line }

    /// The value under `key` of this one, whose name is `name`.
    func child(_ key: String, of name: String, _ value: JSON) -> Field {
        Field(value, title: title, parent: name, key: key, form: form, places: places?.fields[key]?.places)
    }

    private func element(_ index: Int, _ value: JSON) -> Field {
        let places = places.flatMap { index < $0.elements.count ? $0.elements[index] : nil }
        return Field(value, title: title, parent: name, key: "[\(index)]", form: form, places: places)
    }

    // MARK: Problems

    /// A problem with this value: its name, then `what`.
    package func problem(_ what: String, hint: String? = nil) -> FieldProblem {
        FieldProblem("\(shown) \(what)", hint: hint, line: line)
    }

    /// A text that is none of those that may stand here.
    ///
    /// Only people are shown what they wrote: what a program said may hold a secret that nobody has masked yet.
    func refused(_ text: String, hint: String) -> FieldProblem {
        let isShown = form == .document || form == .setting
        return problem(isShown ? "can not be '\(text.prefix(64))'" : "can not be that", hint: hint)
    }

    func mismatch(_ wanted: String, hint: String? = nil) -> FieldProblem {
        problem("must be \(wanted), not \(typeName)", hint: hint)
    }

    /// Refuses what nothing would carry out: better than a promise that is broken in silence.
    package func unsupported(instead: String) -> FieldProblem {
        problem("is not supported yet", hint: "leave it out; \(instead)")
    }

    /// What people call its type.
    package var typeName: String {
        switch value {
        case .null: "nothing"
        case .bool: "true or false"
        case .number, .whole: "a number"
        case .string: "text"
        case .array: "a list"
        case .object: "a table of keys"
        }
    }

    // MARK: Parts

    /// The fields of a table or object; `keys` are all that it may have, nil = any.
    package func fields(_ keys: [String]? = nil) throws(FieldProblem) -> Fields {
        guard case .object(let values) = value else {
            let listed = keys.map { " with the keys \($0.joined(separator: ", "))" } ?? ""
            throw mismatch("a table" + listed)
        }
        let fields = Fields(self, values)
        if let keys { try fields.allow(keys) }
        return fields
    }

    package func list() throws(FieldProblem) -> [Field] {
        if form == .setting, case .string(let text) = value {
            return text.split(separator: ",").enumerated().map {
                element($0.offset, .string(String($0.element)))
            }
        }
        guard case .array(let values) = value else { throw mismatch("a list") }
        return values.enumerated().map { element($0.offset, $0.element) }
    }

    /// What `read` makes of each element of a list.
    package func list<Value>(
        _ read: (Field) throws(FieldProblem) -> Value
    ) throws(FieldProblem) -> [Value] {
        var values: [Value] = []
        for element in try list() { values.append(try read(element)) }
        return values
    }
}
