// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

extension [PlannedStep] {
    /// Ids that need each other in a ring, each needing the next; nil when there is none.
    package var cycle: [StepID]? {
        var needs = Dictionary(map { ($0.id, $0.needs) }, uniquingKeysWith: { first, _ in first })
        // Steps that need nothing that is left can run; what remains in the end waits for itself.
        while let ready = first(where: { needs[$0.id]?.allSatisfy { needs[$0] == nil } ?? false }) {
            needs[ready.id] = nil
        }
        guard var step = first(where: { needs[$0.id] != nil })?.id else { return nil }
        var path: [StepID] = []
        while !path.contains(step) {
            path.append(step)
            guard let next = needs[step]?.first(where: { needs[$0] != nil }) else { return nil }
            step = next
        }
        return path.firstIndex(of: step).map { [StepID](path[$0...]) }
    }
}

extension [StepID] {
    /// A ring as people read it: `a → b → a`.
    package var ring: String { (self + prefix(1)).map(\.rawValue).joined(separator: " → ") }
}
