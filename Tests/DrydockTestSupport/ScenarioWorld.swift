// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockArchive
import DrydockModel
import DrydockPlugins
import DrydockStore
import DrydockWorker
package import Foundation
import GRDB
import Logging
import Synchronization
import SystemPackage

/// What is around the sandboxes of a scenario: real stores in a directory of their own, real workers, a clock that stands.
package final class ScenarioWorld: ScriptedWorld {
    private struct State {
        var workers: [ScriptedWorker] = []
        /// The number of the worker that took up a build last.
        var lastToTake = 0
        let on: [StoreCall: [ScriptAction]]
        /// How much time has passed since the worker that took up a build last asked for its lease.
        var sinceHeartbeat = Duration.zero
        /// Calls whose actions are being carried out.
        var answering = 0
        /// How often each of them came.
        var calls: [StoreCall: Int] = [:]
        var builds: [BuildID] = []
        var complaints: [String] = []
    }

    let scenario: Scenario
    let data: URL
    /// Everybody else's store: of those who cancel, and who look on.
    let observer: EmbeddedStore
    private let project: URL
    private let plugins: String
    private let clock = ManualClock()
    private let state: Mutex<State>
    private let renewals = Counter()
    private let lines = Counter()
    private let cancels = Counter()
    private let launcher = Mutex<ScriptedLauncher?>(nil)

    /// Nothing here takes longer than this, in real time.
    private static let patience = Duration.seconds(20)
    /// How often nothing is left to do before it counts: somebody may be about to start a worker.
    private static let quietLooks = 100
    /// More than a lease's time.
    private static let lapse = Duration.seconds(40)
    /// What a worker waits between two heartbeats.
    private static let heartbeat = Duration.seconds(8)

    /// A world below `folder`, with the plugins of a directory.
    package init(_ scenario: Scenario, in folder: URL, plugins: String) throws {
        self.scenario = scenario
        self.plugins = plugins
        data = folder.appending(path: "data")
        project = folder.appending(path: "project")
        let files = scenario.folder.appending(path: "project")
        if FileManager.default.fileExists(atPath: files.path) {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try FileManager.default.copyItem(at: files, to: project)
        }
        try FileManager.default.createDirectory(at: project, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            at: scenario.folder.appending(path: "plan.yaml"),
            to: project.appending(path: "drydock.yaml")
        )
        state = Mutex(State(on: scenario.on))
        observer = try Self.openStore(data, clock)
    }

    /// Plays the scenario until every build has ended, or nobody is left to work on them; returns what can not be played.
    package func play() async throws -> [String] {
        let launcher = ScriptedLauncher(scenario.sandboxes, in: self)
        self.launcher.withLock { $0 = launcher }
        for _ in 0..<scenario.builds { try await enqueue() }
        for action in scenario.before { try await perform(action) }
        for _ in 0..<scenario.workers { try start() }
        try await waitUntilOver(launcher)
        for worker in state.withLock(\.workers) {
            do { try await worker.end() } catch { complain(error) }
        }
        if launcher.left > 0 { complain(ScriptProblem("\(launcher.left) sandboxes were never started")) }
        return state.withLock(\.complaints)
    }

    /// Gives back what it took; nothing is looked up any more.
    package func close() {
        try? observer.close()
        launcher.withLock { $0 = nil }
        state.withLock { $0.workers = [] }
    }

    /// The builds, in the order in which they were asked for.
    var builds: [BuildID] { state.withLock(\.builds) }

    private func waitUntilOver(_ launcher: ScriptedLauncher) async throws {
        let deadline = ContinuousClock.now.advanced(by: Self.patience)
        var then = scenario.then
        var (idle, abandoned) = (0, 0)
        while try await !haveAllEnded() {
            let isIdle =
                launcher.isIdle && state.withLock { $0.answering == 0 && $0.workers.allSatisfy(\.isOver) }
            abandoned = isIdle ? abandoned + 1 : 0
            if abandoned == Self.quietLooks { return }
            idle = launcher.isDone ? idle + 1 : 0
            if idle == Self.quietLooks {
                for action in then { try await perform(action) }
                then = []
            }
            if ContinuousClock.now > deadline {
                return complain(ScriptProblem("not over after \(Self.patience)"))
            }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    private func haveAllEnded() async throws -> Bool {
        for id in builds {
            guard let build = try await observer.build(id), build.state.isTerminal else { return false }
        }
        return true
    }

    private static func openStore(_ data: URL, _ clock: ManualClock) throws -> EmbeddedStore {
        var options = EmbeddedStore.Options()
        options.durability = .relaxed
        options.now = { clock.wall }
        return try EmbeddedStore(opening: FilePath(data.path), options)
    }

    // MARK: What scripts do

    package func complain(_ problem: any Error) {
        state.withLock { $0.complaints.append("\(problem)") }
    }

    package func settle(lines: UInt64) async {
        _ = await holds { self.lines.value >= lines }
    }

    package func perform(_ action: ScriptAction) async throws {
        switch action {
        case .cancel(let reason): try await cancel(reason)
        case .advance(let duration): await advance(by: duration)
        case .beat:
            guard await beat() else { throw ScriptProblem("no worker asks for its lease") }
        case .lapse:
            clock.advanceWall(by: Self.lapse)
            _ = try await observer.reap()
        case .shutdown: await current?.shutDown()
        case .die: current?.die()
        case .start: try start()
        case .sweep: try await workshop(observer, observer.directory)?.settle()
        case .enqueue: try await enqueue()
        case .sql(let text):
            try await DatabaseQueue(path: data.appending(path: "db.sqlite").path)
                .write { try $0.execute(sql: text) }
        case .cut(let bytes): try await cut(bytes)
        case .leave(let path):
            let file = data.appending(path: path)
            let folder = file.deletingLastPathComponent()
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try Data("left".utf8).write(to: file)
        case .fail(let error): throw error
        case .say, .file, .link, .untilEnded, .end, .refuse:
            throw ScriptProblem("\(action) is for sandboxes")
        }
    }

    private var current: ScriptedWorker? {
        state.withLock { state in
            state.workers.first { $0.number == state.lastToTake } ?? state.workers.first { !$0.isDead }
        }
    }

    private func enqueue() async throws {
        let number = state.withLock { $0.builds.count + 1 }
        let build = try await observer.enqueue(
            BuildRequest(
                session: SessionID(rawValue: "s\(number)"),
                project: ProjectName(rawValue: "p"),
                source: .path(project.path),
                trigger: .cli,
                title: scenario.name
            )
        )
        state.withLock { $0.builds.append(build.id) }
    }

    private func cancel(_ reason: String) async throws {
        for id in builds {
            guard let build = try await observer.build(id), !build.state.isTerminal else { continue }
            let before = cancels.value
            let answer = try await observer.requestCancel(id, by: "somebody", reason: reason)
            // What comes next comes after it was heard, where there is anybody to hear it.
            if case .requested = answer, current?.isDead == false {
                _ = await holds { cancels.value > before }
            }
            return
        }
    }

    /// Lets time pass, no faster than the worker's heartbeats follow: nobody's lease lapses by that.
    private func advance(by duration: Duration) async {
        var left = duration
        while left >= untilHeartbeat, current?.isDead == false {
            left -= untilHeartbeat
            if await !beat() { break }
        }
        clock.advance(by: left)
        state.withLock { $0.sinceHeartbeat += left }
    }

    private var untilHeartbeat: Duration { Self.heartbeat - state.withLock(\.sinceHeartbeat) }

    /// Lets time pass until the next heartbeat; false when there is none.
    private func beat() async -> Bool {
        let before = renewals.value
        let due = untilHeartbeat
        let isDue = await holds { clock.hasSleeper(for: due) }
        clock.advance(by: due)
        state.withLock { $0.sinceHeartbeat = .zero }
        guard isDue, await holds({ renewals.value > before }) else { return false }
        // Its next one counts from here; where it got no lease there is none.
        _ = await holds { clock.hasSleeper(for: Self.heartbeat) }
        return true
    }

    /// Waits until `condition` holds; false when it does not for half a second.
    private func holds(_ condition: () -> Bool) async -> Bool {
        for _ in 0..<500 where !condition() { try? await Task.sleep(for: .milliseconds(1)) }
        return condition()
    }

    /// Takes the last bytes of the newest journal away.
    private func cut(_ bytes: Int) async throws {
        guard let id = builds.last, let attempt = try await observer.attempts(id).last else { return }
        let path = observer.directory.segment(id, attempt).string
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        let size = try file.seekToEnd()
        try file.truncate(atOffset: size - UInt64(bytes))
        try file.close()
    }

    // MARK: Workers

    private func start() throws {
        let number = state.withLock { $0.workers.count + 1 }
        let script = WorkerScript(world: self, number: number)
        let store = try Self.openStore(data, clock)
        guard let shop = workshop(ScriptedStore(store, script), store.directory) else { return }
        let worker = Worker(shop: shop, id: WorkerID(rawValue: "w\(number)"), slots: scenario.slots)
        state.withLock { $0.workers.append(ScriptedWorker(worker, script, store)) }
    }

    /// Nil once everything is over.
    private func workshop(_ store: any Store, _ directory: DataDirectory) -> Workshop? {
        guard let launcher = launcher.withLock(\.self) else { return nil }
        var logger = Logger(label: "worker")
        logger.logLevel = .critical
        var options = WorkerOptions(
            snapshots: directory.snapshots,
            work: directory.work,
            policy: Policy(minimumLevel: .full),
            toolchain: [],
            path: "/usr/bin:/bin",
            program: "/usr/bin/drydock",
            programLibraries: [],
            sourceCaps: ArchiveCaps(),
            allowed: AllowedSources(),
            owner: nil,
            missing: []
        )
        // The scripted clock jumps: what stands where would be chance.
        options.estimates = nil
        return Workshop(
            store: store,
            launcher: launcher,
            catalog: PluginCatalog.load(directories: [plugins]),
            clock: clock,
            options: options,
            logger: logger
        )
    }

    // MARK: Calls of workers

    fileprivate func before(_ call: StoreCall, by worker: Int) async throws {
        if call == .renew { renewals.increment() }
        if call == .journal {
            state.withLock { ($0.lastToTake, $0.sinceHeartbeat) = (worker, .zero) }
        }
        state.withLock { $0.answering += 1 }
        defer { state.withLock { $0.answering -= 1 } }
        for action in due(call) { try await perform(action) }
    }

    fileprivate func beforeNow(_ call: StoreCall) throws {
        for action in due(call) {
            switch action {
            case .fail(let error): throw error
            case .die: current?.die()
            default: complain(ScriptProblem("\(call.rawValue) can not wait for \(action)"))
            }
        }
    }

    private func due(_ call: StoreCall) -> [ScriptAction] {
        state.withLock { state in
            let count = (state.calls[call] ?? 0) + 1
            state.calls[call] = count
            return state.on[count == 1 ? call : StoreCall(rawValue: "\(call.rawValue) #\(count)")] ?? []
        }
    }

    fileprivate func appended(_ events: [Event]) {
        for case .log(let line) in events where [.out, .err].contains(line.stream) { lines.increment() }
        for case .cancelRequested in events { cancels.increment() }
    }
}

/// One worker's way to the world: cut off once it is dead.
final class WorkerScript: StoreScript {
    let number: Int
    private let world: ScenarioWorld
    private let registrations = Mutex<[any WorkerRegistration]>([])
    private let dead = Mutex(false)

    init(world: ScenarioWorld, number: Int) {
        self.world = world
        self.number = number
    }

    var isDead: Bool { dead.withLock(\.self) }

    func die() {
        dead.withLock { $0 = true }
        for registration in registrations.withLock(\.self) { registration.end() }
    }

    func registered(_ registration: any WorkerRegistration) {
        registrations.withLock { $0.append(registration) }
    }

    func before(_ call: StoreCall) async throws {
        try checkAlive()
        try await world.before(call, by: number)
        try checkAlive()
    }

    func beforeNow(_ call: StoreCall) throws {
        try checkAlive()
        try world.beforeNow(call)
        try checkAlive()
    }

    func appended(_ events: [Event]) { world.appended(events) }

    private func checkAlive() throws {
        if isDead { throw StoreError.databaseFailed(detail: "this worker is dead") }
    }
}
