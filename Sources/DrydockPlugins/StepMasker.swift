// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DrydockModel
import DrydockProtocol
import Synchronization

/// Secrets as they become known during a step.
final class StepMasker: Sendable {
    private let masker: Mutex<Masker>

    init(_ secrets: [String]) { masker = Mutex(Masker(secrets)) }

    /// What is known now.
    var current: Masker { masker.withLock { $0 } }

    func add(_ secret: String) { masker.withLock { $0.add(secret) } }
}

/// Events on their way to the sink, kept together as long as the same channel says them.
struct EventBatch {
    private let sink: any StepEventSink
    private var events: [Event] = []
    private var via = Via.observed

    init(_ sink: any StepEventSink) { self.sink = sink }

    mutating func add(_ event: Event, via: Via) {
        if via != self.via { send() }
        self.via = via
        events.append(event)
    }

    /// Hands over what was gathered.
    mutating func send() {
        if !events.isEmpty { sink.emit(events, via: via) }
        events.removeAll(keepingCapacity: true)
    }
}

extension Event {
    /// The event with all its text masked; for what plugins say in records.
    func masked(by masker: Masker) -> Event {
        switch self {
        case .stage(var change):
            change.title = change.title.map(masker.masked)
            return .stage(change)
        case .progress(var progress):
            progress.text = progress.text.map(masker.masked)
            progress.unit = progress.unit.map(masker.masked)
            return .progress(progress)
        case .log(var line):
            line.text = masker.masked(line.text)
            return .log(line)
        case .diag(let diagnostic): return .diag(diagnostic.masked(by: masker))
        case .output(let key, let value): return .output(key: key, value: masker.masked(value))
        case .notice(let title, let markdown):
            return .notice(title: masker.masked(title), markdown: masker.masked(markdown))
        case .willFail(let reason): return .willFail(reason: masker.masked(reason))
        default: return self
        }
    }
}

extension Diagnostic {
    func masked(by masker: Masker) -> Diagnostic {
        var diagnostic = self
        diagnostic.message = masker.masked(message)
        diagnostic.file = file.map(masker.masked)
        diagnostic.code = code.map(masker.masked)
        diagnostic.hint = hint.map(masker.masked)
        diagnostic.url = url.map(masker.masked)
        return diagnostic
    }
}
