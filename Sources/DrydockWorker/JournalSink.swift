// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

internal import DrydockModel
internal import DrydockPlugins
internal import DrydockStore
internal import Synchronization

/// The way of a build's events into its journal: one for the build, thread-safe, with the log clipped at its cap.
///
/// Callers are pipe threads that can not handle an error: the first one stops the build instead.
final class JournalSink: Sendable {
    private let journal: any JournalWriter
    private let stop: StopSignal
    private let clip: Mutex<LogClip>
    private let keeper = Mutex<ProgressKeeper?>(nil)

    init(journal: any JournalWriter, logCap: ByteCount, stop: StopSignal) {
        self.journal = journal
        self.stop = stop
        clip = Mutex(LogClip(cap: logCap))
    }

    /// Sets another cap for what comes: the plan's, once there is one.
    func limitLog(to cap: ByteCount) { clip.withLock { $0 = LogClip(cap: cap) } }

    /// Has `keeper` hear what steps tell.
    func tell(_ keeper: ProgressKeeper) { self.keeper.withLock { $0 = keeper } }

    /// Appends what the host knows itself.
    func record(_ events: Event..., step: StepID? = nil) { emit(events, via: .host, step: step) }

    /// The same for a list; an empty one is nothing.
    func record(events: [Event]) { emit(events, via: .host, step: nil) }

    /// Appends `events` in order; log lines as far as the cap allows.
    func emit(_ events: [Event], via: Via, step: StepID?) {
        keeper.withLock(\.self)?.note(events, step: step)
        // The lock is held while writing, so that lines of two pipes keep the order in which they were admitted.
        clip.withLock { clip in
            write(admitted(events, step, &clip), via: via, step: step)
        }
    }

    /// What is appended of `events`: nearly always all of them, as they are.
    private func admitted(_ events: [Event], _ step: StepID?, _ clip: inout LogClip) -> [Event] {
        var kept: [Event]?
        // A batch may be tens of thousands of short lines: what they will take up counts as they are admitted.
        var size = journal.size.bytes
        for (index, event) in events.enumerated() {
            guard case .log(let line) = event else {
                kept?.append(event)
                continue
            }
            let isTaken = clip.takes(line, journal: ByteCount(size))
            size += LogClip.cost(of: line)
            if isTaken {
                kept?.append(event)
            } else {
                if kept == nil { kept = Array(events[..<index]) }
                kept? += clip.hold(line, step: step)
            }
        }
        return kept ?? events
    }

    /// Appends what clipping held back; called when a step ends.
    func flush() {
        clip.withLock { clip in
            for (event, step) in clip.flush() { write([event], via: .observed, step: step) }
        }
    }

    private func write(_ events: [Event], via: Via, step: StepID?) {
        guard !events.isEmpty else { return }
        do {
            try journal.append(events, via: via, step: step)
        } catch {
            stop.stop(Failure(explaining: error))
        }
    }
}

/// The sink of one step.
struct StepSink: StepEventSink {
    let sink: JournalSink
    let step: StepID

    func emit(_ events: [Event], via: Via) { sink.emit(events, via: via, step: step) }
}
