// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockStore
package import Foundation
import Yams

/// A folder that tells what happens to a build, and what must come of it.
///
/// ```
/// plan.yaml       the project's drydock.yaml
/// project/        its other files, where it has any
/// script.yaml     what its sandboxes do, and the world around them
/// expect.ndjson   the journals and rows that come of it
/// ```
package struct Scenario: Sendable, CustomStringConvertible {
    package let folder: URL
    /// What must be true, in a sentence.
    package var about: String
    /// Workers at the start, with their slots.
    var workers = 1
    var slots = 1
    /// How many builds of the project are asked for at the start.
    var builds = 1
    /// What happens before there is a worker.
    var before: [ScriptAction] = []
    /// What the sandboxes do, in the order in which they start.
    var sandboxes: [[ScriptAction]] = []
    /// What happens at a worker's call to its store, the first time it comes; `move queued #2`: the second time.
    var on: [StoreCall: [ScriptAction]] = [:]

    /// What happens when all of that was played and the builds have not ended.
    var then: [ScriptAction] = []

    package var name: String { folder.lastPathComponent }
    package var description: String { name }

    /// All scenarios below `folder`, by name.
    package static func all(below folder: URL) throws -> [Scenario] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
            .map { try Scenario(folder: folder.appending(path: $0)) }
    }

    package init(folder: URL) throws {
        self.folder = folder
        let path = folder.appending(path: "script.yaml")
        guard let script = try Yams.load(yaml: String(contentsOf: path, encoding: .utf8)) as? [String: Any],
            let about = script["about"] as? String
        else { throw ScriptProblem("\(path.path) is no script with a sentence `about`") }
        self.about = about
        do {
            for (key, value) in script {
                switch (key, value) {
                case ("about", _): break
                case ("workers", let count as Int): workers = count
                case ("slots", let count as Int): slots = count
                case ("builds", let count as Int): builds = count
                case ("before", _): before = try ScriptAction.list(value)
                case ("then", _): then = try ScriptAction.list(value)
                case ("sandboxes", let parts as [Any]): sandboxes = try parts.map(ScriptAction.list)
                case ("on", let calls as [String: Any]):
                    for (call, actions) in calls {
                        on[StoreCall(rawValue: call)] = try ScriptAction.list(actions)
                    }
                default: throw ScriptProblem("there is no key \(key) with \(value)")
                }
            }
        } catch let problem as ScriptProblem {
            throw ScriptProblem("\(path.path): \(problem)")
        }
    }

    /// What must come of it.
    package var expected: String {
        (try? String(contentsOf: folder.appending(path: "expect.ndjson"), encoding: .utf8)) ?? ""
    }

    /// Makes `text` what must come of it.
    package func record(_ text: String) throws {
        try Data(text.utf8).write(to: folder.appending(path: "expect.ndjson"))
    }
}
