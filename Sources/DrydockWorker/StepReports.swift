// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel
internal import DrydockOS
internal import DrydockObservers
internal import DrydockPlugins
internal import DrydockProtocol
internal import Synchronization

/// Reads the reports of tests that steps leave below `$DRYDOCK_OUT`: XML in the form of JUnit, each once.
final class StepReports: Sendable {
    private let workspace: Workspace
    private let seen = Mutex<Set<Seen>>([])

    /// A file as it was when it was read.
    private struct Seen: Hashable {
        var path: String
        var inode: UInt64
        var modified: FileTime
        var size: Int64

        init(_ entry: TreeEntry) {
            path = entry.path.description
            inode = entry.status.inode
            modified = entry.status.modified
            size = entry.status.size
        }
    }

    private static let mostFiles = 200
    /// Of all that one step leaves.
    private static let mostBytes = 8 << 20
    private static let limits = WalkLimits(entries: 50_000, time: .seconds(2))
    /// Reports are read within the build's time, and its end waits for it.
    private static let patience = Duration.seconds(2)

    init(_ workspace: Workspace) { self.workspace = workspace }

    /// What the step's reports say; nil where it left none, and where they can not be read: who wants them to be there says
    /// so as an artifact.
    ///
    /// Blocks; only once none of the step's sandboxes is alive.
    func read(_ context: StepContext, hiding masker: Masker, unless stop: StopSignal) -> TestResults? {
        let documents = documents()
        guard !documents.isEmpty else { return nil }
        let places = context.places()
        let end = ContinuousClock.now.advanced(by: Self.patience)
        return TestReport.results(of: documents, placed: places.file, masked: masker.masked) {
            stop.reason != nil || ContinuousClock.now > end
        }
    }

    /// As many as can be read.
    private func documents() -> [[UInt8]] {
        var documents: [[UInt8]] = []
        var room = Self.mostBytes
        do {
            guard let out = try workspace.openOut() else { return [] }
            var walker = try TreeWalker(root: out, limits: Self.limits)
            while documents.count < Self.mostFiles, let entry = try walker.next() {
                guard entry.kind == .file, entry.path.name.suffix(4).elementsEqual(".xml".utf8),
                    entry.status.size <= room,
                    seen.withLock({ $0.insert(Seen(entry)).inserted })
                else { continue }
                let file = try walker.open(entry)
                let bytes = try file.withDescriptor { try FileContents.all(of: $0, atMost: Self.mostBytes) }
                room -= bytes.count
                documents.append(bytes)
            }
        } catch {
            // What comes behind it in the walk is not read.
        }
        return documents
    }
}

extension Failure {
    /// The failure of a step whose tests failed: what they came to, and the place of the first where there is no other.
    func naming(_ tests: TestResults?) -> Failure {
        guard let tests, tests.failed > 0 else { return self }
        var told = self
        var details = told.details ?? FailureDetails()
        details.tests = tests.summary
        let placed = tests.failures.first { $0.file != nil }
        if told.file == nil, let placed {
            told.file = placed.file
            told.line = placed.line
            details.cause =
                details.cause
                ?? Diagnostic(severity: .error, message: placed.words, file: placed.file, line: placed.line)
        }
        told.details = details
        return told
    }
}
