// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel
internal import DrydockOS
internal import Synchronization

/// Finds files of a source by the end of their path.
///
/// Few commands ask, so that the source is walked when the first one does.
final class SourceIndex: Sendable {
    private static let mostOfOneName = 64

    private let source: DirectoryHandle
    private let limits: WalkLimits
    /// Paths by their last name; nil = not walked yet.
    private let paths = Mutex<[String: [String]]?>(nil)

    init(_ source: DirectoryHandle, limits: WalkLimits = WalkLimits(entries: 50_000, time: .seconds(5))) {
        self.source = source
        self.limits = limits
    }

    /// The one file whose path ends in `ending`, whole names; nil where there is none, or more than one.
    func file(endingIn ending: String) -> String? {
        guard let name = ending.split(separator: "/").last else { return nil }
        let found = paths.withLock { paths in
            let all = paths ?? walked()
            paths = all
            return all[String(name)] ?? []
        }
        // What so many have for a name nobody means by its end: asking each of them, for every line, would take long.
        guard found.count <= Self.mostOfOneName else { return nil }
        let matching = found.filter { $0 == ending || $0.hasSuffix("/" + ending) }
        return matching.count == 1 ? matching[0] : nil
    }

    /// None where the walk did not come to its end: what is one file in a part may be one of several in the whole.
    private func walked() -> [String: [String]] {
        var paths: [String: [String]] = [:]
        do throws(WalkError) {
            var walker = try TreeWalker(root: source, limits: limits)
            while let entry = try walker.next() {
                guard entry.kind == .file else { continue }
                let path = String(decoding: entry.path.bytes, as: UTF8.self)
                let name = path.lastIndex(of: "/").map { path[path.index(after: $0)...] } ?? path[...]
                paths[String(name), default: []].append(path)
            }
        } catch {
            return [:]
        }
        return paths
    }
}
