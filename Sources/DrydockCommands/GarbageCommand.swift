// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import ArgumentParser
internal import DrydockConfig
internal import DrydockModel
internal import DrydockOS
internal import DrydockStore

/// The command `drydock gc`.
struct GarbageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gc",
        abstract:
            "Removes builds that retention lets go, and contents that no build refers to; packs journals.",
        discussion: """
            A worker does the same once an hour, by `retention` of the configuration. Builds that have not ended, the newest \
            one of each project and the newest that succeeded always stay. Journals that stay are packed, as a worker does.

            EXAMPLES
              drydock gc
              drydock gc --dry-run --age 30d
              drydock gc --size 20GiB
              drydock gc --forget b_1bc8q3k0f7ydm2zp
              drydock gc --cache my-project
            """
    )

    /// What `--json` prints.
    private struct Printed: Encodable {
        let builds: [BuildID]
        let blobs: Int
        let records: Int
        let size: ByteCount
        let unreadable: [BuildID]
        let caches: [ProjectName]
        let packed: Int
    }

    @OptionGroup var place: PlaceOptions
    @Option(
        help:
            "Instead of retention.age: builds that ended longer ago go, and so do older records of the audit."
    ) var age: String?
    @Option(help: "Instead of retention.builds: of each project, the newest so many stay.") var builds:
        String?
    @Option(help: "Instead of retention.size: while all takes more, the oldest builds go.") var size: String?
    @Option(
        help: ArgumentHelp(
            "A damaged build that goes with its journal, so that contents can be removed again; repeatable.",
            valueName: "build"
        )
    ) var forget: [String] = []
    @Option(
        help: ArgumentHelp(
            "A project whose next build is to begin with an empty $DRYDOCK_CACHE; repeatable.",
            valueName: "project"
        )
    ) var cache: [String] = []
    @Flag(help: "Removes nothing, and says what would go.") var dryRun = false
    @Flag(help: "One JSON object.") var json = false

    func run() async throws {
        let settings = [("retention.age", age), ("retention.builds", builds), ("retention.size", size)]
        let configuration = try place.configuration(
            flags: settings.compactMap { key, value in value.map { (key, $0) } }
        )
        let store = try await place.requiredStore()
        var retention = configuration.retention
        retention.forgotten = Set(forget.map(BuildID.init(rawValue:)))
        guard let report = try await collect(store, retention) else {
            throw CommandProblem(
                .unavailable,
                "gc",
                why: "a worker or another `drydock gc` is at it",
                remedy: "wait until that has ended"
            )
        }
        if !dryRun {
            _ = try await Blocking.run { try RootFileSystems(in: store.directory.roots).tidy() }
        }
        let caches = try await Blocking.run { try collectCaches(store, configuration.projectCache) }
        // Behind what goes: that need not be packed any more.
        let packed = dryRun ? SealReport() : try await pack(store)
        if json {
            return try Console.json(
                Printed(
                    builds: report.builds,
                    blobs: report.blobs,
                    records: report.records,
                    size: report.size,
                    unreadable: report.unreadable,
                    caches: caches.map(\.project),
                    packed: packed.journals
                )
            )
        }
        if dryRun { for build in report.builds { Console.out("\(build)") } }
        Console.out(report.words(isTrial: dryRun))
        for cache in caches {
            Console.out(
                "\(dryRun ? "would remove" : "removed") the cache of project \(cache.project), \(cache.size)"
            )
        }
        if packed.journals > 0 { Console.out(packed.words) }
        for warning in [report.warning, packed.warning].compactMap(\.self) {
            Console.error("drydock: \(warning)")
        }
    }

    /// Packs what a worker would pack in time, one piece after the other.
    private func pack(_ store: EmbeddedStore) async throws -> SealReport {
        var all = SealReport()
        var hasMore = true
        while hasMore {
            let report = try await store.sealJournals(atMost: Housekeeping.sealedAtOnce)
            all.add(report)
            hasMore = report.hasMore
        }
        return all
    }

    /// The caches of projects that go: those named, and those beyond what is kept.
    private func collectCaches(
        _ store: EmbeddedStore,
        _ limits: ProjectCacheLimits
    ) throws -> [ProjectCaches.Entry] {
        let caches = try ProjectCaches(in: store.directory.projectCaches, limits: limits)
        let entries = try caches.entries()
        let named = try cache.flatMap { name in
            let found = entries.filter { $0.project.rawValue == name }
            guard !found.isEmpty else {
                throw CommandProblem(
                    .usage,
                    "gc: --cache \(name)",
                    why: "nothing is kept of a project of that name",
                    remedy: entries.isEmpty
                        ? "leave it out"
                        : "projects with a cache: "
                            + entries.prefix(10).map(\.project.rawValue).joined(separator: ", ")
                )
            }
            return found
        }
        if dryRun { return named + caches.surplus(of: entries.filter { !named.contains($0) }) }
        for entry in named where try !caches.forget(entry.project) {
            throw CommandProblem(
                .unavailable,
                "gc: --cache \(entry.project)",
                why: "a build uses it",
                remedy: "wait until that has ended"
            )
        }
        return named + (try caches.tidy())
    }

    private func collect(_ store: EmbeddedStore, _ retention: Retention) async throws -> GarbageReport? {
        do {
            return try await store.collectGarbage(retention, isTrial: dryRun)
        } catch let error as StoreError {
            var exit = ExitStatus.errored
            if case .notDamaged = error { exit = .usage }
            throw CommandProblem(exit, "gc", why: error.message, remedy: error.hint)
        }
    }
}

extension GarbageReport {
    /// What was done, for people.
    func words(isTrial: Bool) -> String {
        let what =
            "\(builds.count) \(builds.count == 1 ? "build" : "builds")"
            + " and \(blobs) \(blobs == 1 ? "blob" : "blobs"), \(size)"
            + (records == 0 ? "" : ", and \(records) of the audit's records")
        return isTrial ? "would remove \(what)" : "removed \(what)"
    }

    /// What keeps blobs from being collected; nil where nothing does.
    var warning: String? {
        guard let first = unreadable.first else { return nil }
        let more = unreadable.count == 1 ? "" : " and \(unreadable.count - 1) more"
        return
            "no blob is removed while what \(first)\(more) refers to is not known: its row or journal is damaged;"
            + " `drydock gc --forget \(first)` lets it go with its journal and what only it refers to"
    }
}
