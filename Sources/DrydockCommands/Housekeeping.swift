// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel
internal import DrydockOS
internal import DrydockStore
internal import Logging
internal import ServiceLifecycle

/// Packs journals, and collects what is no longer needed, for as long as the worker beside it runs.
struct Housekeeping: Service {
    let store: any Store
    let retention: Retention
    /// Nil where nothing is kept of projects.
    let caches: ProjectCaches?
    let roots: RootFileSystems
    let logger: Logger

    /// What is packed in one go: some seconds of one processor.
    static let sealedAtOnce = ByteCount.mebibytes(256)
    /// Until the first collection, and between two looks at the caches.
    private static let first = Duration.seconds(60)
    private static let pause = Duration.seconds(3_600)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var untilCollection = Self.first
            while (try? await Task.sleep(for: Self.first)) != nil {
                await tidyCaches()
                await tidyRoots()
                await sealJournals()
                untilCollection -= Self.first
                guard untilCollection <= .zero, !Task.isCancelled else { continue }
                await collect()
                untilCollection = Self.pause
            }
        }
    }

    private func collect() async {
        do {
            // nil: another worker of this data directory is at it.
            guard let report = try await store.collectGarbage(retention, isTrial: false) else { return }
            if !report.builds.isEmpty || report.blobs > 0 || report.records > 0 {
                logger.notice("\(report.words(isTrial: false))")
            }
            if let warning = report.warning { logger.warning("\(warning)") }
        } catch {
            logger.error("what is no longer needed could not be removed: \(error)")
        }
    }

    /// Here, and not with each build's end: nobody waits for it.
    private func sealJournals() async {
        do {
            let report = try await store.sealJournals(atMost: Self.sealedAtOnce)
            if report.journals > 0 { logger.debug("\(report.words)") }
            if let warning = report.warning { logger.warning("\(warning)") }
        } catch is CancellationError {
            // The worker ends; the next one goes on with what is left.
        } catch {
            logger.error("journals could not be packed: \(error)")
        }
    }

    /// Removes those that were replaced while builds ran in them.
    private func tidyRoots() async {
        do {
            let count = try await Blocking.run { try roots.tidy() }
            if count > 0 { logger.notice("removed \(count) root file systems that were replaced") }
        } catch {
            logger.error("a root file system that was replaced could not be removed: \(error)")
        }
    }

    /// Often, since caches come with every build, and here, since it may take long: no build waits for it.
    private func tidyCaches() async {
        do {
            for entry in try await Blocking.run({ try caches?.tidy() ?? [] }) {
                logger.notice("removed the cache of project \(entry.project), \(entry.size)")
            }
        } catch {
            logger.error("a project's cache could not be removed: \(error)")
        }
    }
}

extension SealReport {
    /// What was done, for people.
    var words: String {
        "packed \(journals) \(journals == 1 ? "journal" : "journals"), \(plain) to \(stored)"
    }

    /// Why one could not be packed; nil where all could.
    var warning: String? { problem.map { "a journal could not be packed: \($0)" } }
}
