// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel

/// All observers there are, and which of them reads a command.
package struct ObserverCatalog: Hashable, Sendable {
    /// By name; of two with one name the first that was added.
    package private(set) var observers: [ObserverName: Observer] = [:]
    private var order: [ObserverName] = []

    /// Whose diagnostics hold for every command, where their file is one of the source.
    private static let forEverybody = [ObserverName(unchecked: "gcc"), ObserverName(unchecked: "python")]

    package init(_ observers: [Observer] = []) { for observer in observers { add(observer) } }

    /// False where one of that name is there.
    @discardableResult
    package mutating func add(_ observer: Observer) -> Bool {
        guard observers[observer.name] == nil else { return false }
        observers[observer.name] = observer
        order.append(observer.name)
        return true
    }

    /// Adds those of another catalog whose names are not there.
    package mutating func add(_ other: ObserverCatalog) {
        for name in other.order { if let observer = other.observers[name] { add(observer) } }
    }

    var everybody: [Observer] { Self.forEverybody.compactMap { observers[$0] } }

    /// The observers that read the output of a command: those that are `named`, else those of its programs; and what
    /// they include.
    package func readers(of argv: [String], named: [ObserverName] = []) -> [Observer] {
        closed(named.isEmpty ? names(ofPrograms: CommandWords.programs(of: argv)) : named)
    }

    /// The same for programs.
    func readers(ofPrograms programs: [String]) -> [Observer] { closed(names(ofPrograms: programs)) }

    private func names(ofPrograms programs: [String]) -> [ObserverName] {
        programs.flatMap { program in
            order.filter { name in
                observers[name]?.commands.contains { Glob.matches($0, program) } ?? false
            }
        }
    }

    private func closed(_ names: [ObserverName]) -> [Observer] {
        var found: [Observer] = []
        var waiting = names[...]
        var seen: Set<ObserverName> = []
        while let name = waiting.popFirst() {
            guard seen.insert(name).inserted, let observer = observers[name] else { continue }
            found.append(observer)
            waiting += observer.includes
        }
        return found
    }
}
