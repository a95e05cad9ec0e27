// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import Synchronization

/// A step's events with progress that never goes back and never passes its total, whoever tells it.
///
/// Tools move their denominators (7 → 25 → 42 → 47), and declared, advised and observed progress of one stage mix: what
/// would move the bar back shows the place it has already, also when a stage starts anew.
final class ForwardProgress: StepEventSink {
    private struct Mark {
        var current: Double
        var total: Double?

        var fraction: Double { total.map { $0 > 0 ? current / $0 : 0 } ?? 0 }
    }

    private let sink: any StepEventSink
    private let marks = Mutex<[StageID?: Mark]>([:])

    /// Stages whose place is remembered; no step has more.
    private static let stageLimit = 2_000

    init(_ sink: any StepEventSink) { self.sink = sink }

    func emit(_ events: [Event], via: Via) {
        // Nearly all of it is output: that is handed on as it is.
        guard events.contains(where: { if case .progress = $0 { true } else { false } }) else {
            return sink.emit(events, via: via)
        }
        // The lock is held while handing on, so that the order is that of the marks.
        marks.withLock { marks in sink.emit(events.map { Self.forward($0, &marks) }, via: via) }
    }

    private static func forward(_ event: Event, _ marks: inout [StageID?: Mark]) -> Event {
        guard case .progress(var progress) = event else { return event }
        var next = Mark(current: progress.current, total: progress.total)
        if let total = next.total { next.current = min(next.current, total) }
        if let last = marks[progress.stage], isBehind(next, last) {
            next = last
            progress.unit = nil
        } else if marks.count < stageLimit || marks[progress.stage] != nil {
            marks[progress.stage] = next
        }
        (progress.current, progress.total) = (next.current, next.total)
        return .progress(progress)
    }

    private static func isBehind(_ next: Mark, _ last: Mark) -> Bool {
        guard next.total != nil else { return last.total != nil || next.current < last.current }
        return last.total != nil && next.fraction < last.fraction
    }
}
