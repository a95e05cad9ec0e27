// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockObservers
import DrydockProtocol

/// The observers of one folder `observers`, each in a file NAME.json.
struct ObserverFolder {
    static let name = "observers"

    private(set) var observers: [Observer] = []
    private(set) var invalid: [(name: String, problem: FieldProblem)] = []

    /// Takes one file in; what is no observer is listed with its reason.
    mutating func add(_ file: String, _ read: () throws -> [UInt8], explain: (any Error) -> String) {
        do throws(FieldProblem) {
            guard let name = try Self.observerName(file) else { return }
            let bytes: [UInt8]
            do { bytes = try read() } catch { throw FieldProblem(explain(error)) }
            let bounds = JSONBounds(depth: 16, fields: 4_096, elements: 4_096)
            let document = try BoundedJSONReader.document(bytes, "the observer", bounds: bounds)
            observers.append(try Observer(document, name: name))
        } catch {
            invalid.append((file, error))
        }
    }

    /// nil for what is no observer and need not be one.
    private static func observerName(_ file: String) throws(FieldProblem) -> ObserverName? {
        if file.hasPrefix(".") || file.hasPrefix("README") { return nil }
        guard file.hasSuffix(".json"), let name = ObserverName(rawValue: String(file.dropLast(5))) else {
            throw FieldProblem("it is no observer's file: NAME.json", hint: ObserverName.rule)
        }
        return name
    }
}
