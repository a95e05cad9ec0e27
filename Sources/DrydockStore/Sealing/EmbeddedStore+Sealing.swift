// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

package import DrydockModel
import DrydockOS
import SystemPackage

/// How far the sealing of journals has come, in this process.
struct SealingProgress: Sendable {
    /// Builds that changed up to here were looked at.
    var revision: Int64 = 0
    /// Those to be looked at again.
    var again: [BuildID: AttemptID?] = [:]
}

extension EmbeddedStore {
    /// Builds that are looked at in one go.
    private static let lookedAt = 10_000

    package func sealJournals(atMost limit: ByteCount) async throws -> SealReport {
        var report = SealReport()
        var looked = 0
        report.hasMore = true
        while looked < Self.lookedAt, report.plain < limit {
            let revision = sealing.withLock { $0.revision }
            let changes = try await database.read { try BuildChange.after(revision, $0) }
            guard !changes.isEmpty else {
                report.hasMore = false
                break
            }
            for change in changes where report.plain < limit {
                if change.state.isTerminal, !(await seal(change.build, change.attempt, &report)) {
                    report.hasMore = false
                    return report
                }
                sealing.withLock { $0.revision = change.revision }
            }
            looked += changes.count
        }
        // Behind the new ones, which are not to wait for what fails again and again.
        for (build, newest) in sealing.withLock({ $0.again }) where report.plain < limit {
            sealing.withLock { _ = $0.again.removeValue(forKey: build) }
            if await seal(build, newest, &report) { continue }
            sealing.withLock { $0.again[build] = newest }
            break
        }
        return report
    }

    /// False when it is to be asked again: somebody copies or removes journals, or the task is cancelled.
    private func seal(_ build: BuildID, _ newest: AttemptID?, _ report: inout SealReport) async -> Bool {
        let result = await Blocking.interruptible { [directory] isCancelled in
            Result { () throws(StoreError) in
                try FileLock.trying(directory.sealingLock) { () throws(StoreError) in
                    try directory.sealSegments(of: build, newest: newest) { !isCancelled() }
                }
            }
        }
        switch result {
        case .success(nil): return false
        case .success(let sealed?):
            report.add(sealed)
            if sealed.isInterrupted { return false }
            // Its writer is about to close.
            if sealed.isBusy { sealing.withLock { $0.again[build] = newest } }
        case .failure(let error):
            report.problem = error
            sealing.withLock { $0.again[build] = newest }
        }
        return true
    }
}

extension DataDirectory {
    /// Seals what a build that has ended left plain; `newest` is its last attempt.
    func sealSegments(
        of build: BuildID,
        newest: AttemptID?,
        while goesOn: () -> Bool
    ) throws(StoreError) -> SealReport {
        var report = SealReport()
        for attempt in try attemptsWithJournals(of: build, onlyPlain: true) {
            let plain = segment(build, attempt)
            let sealer = SegmentSealer(plain: plain, attempt: attempt, needsEnd: attempt == newest)
            switch try sealer.seal(while: goesOn) {
            case .sealed(let plain, let stored):
                report.journals += 1
                report.plain = ByteCount(report.plain.bytes + plain)
                report.stored = ByteCount(report.stored.bytes + stored)
            case .busy: report.isBusy = true
            case .interrupted:
                report.isInterrupted = true
                return report
            case .unfit, .gone: break
            }
        }
        return report
    }
}

/// What was sealed.
package struct SealReport: Sendable {
    package internal(set) var journals = 0
    /// Bytes that they had, and have.
    package internal(set) var plain = ByteCount(0)
    package internal(set) var stored = ByteCount(0)
    /// Why one could not be sealed: it stays as it is, and is tried again.
    package internal(set) var problem: StoreError?
    /// Whether it was not all looked at that there is: as much was packed as was asked for.
    package internal(set) var hasMore = false
    var isBusy = false
    var isInterrupted = false

    package init() {}

    /// Takes in what was sealed besides.
    package mutating func add(_ other: SealReport) {
        journals += other.journals
        plain = ByteCount(plain.bytes + other.plain.bytes)
        stored = ByteCount(stored.bytes + other.stored.bytes)
        problem = problem ?? other.problem
    }
}
