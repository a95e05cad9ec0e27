// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import DequeModule
import Synchronization

/// At most so many threads that do jobs in the order they come; each lives as long as there is one to do.
final class ThreadPool: Sendable {
    typealias Job = @Sendable () -> Void

    private struct State {
        var waiting: Deque<Job> = []
        var threads = 0
    }

    private let name: String
    private let width: Int
    private let state = Mutex(State())

    /// `name` shows in `top -H`.
    init(name: String, width: Int) {
        self.name = name
        self.width = width
    }

    /// Has `job` done, at once where fewer than `width` are under way.
    func submit(_ job: @escaping Job) {
        let isNew = state.withLock { state in
            state.waiting.append(job)
            guard state.threads < width else { return false }
            state.threads += 1
            return true
        }
        guard isNew else { return }
        do {
            try SystemThread.start(name: name) { self.work() }
        } catch {
            // The machine gives no thread. Those that work take the job; where there is none, it can only be done here.
            let isAlone = state.withLock { state in
                state.threads -= 1
                return state.threads == 0
            }
            if isAlone { work(isCounted: false) }
        }
    }

    private func work(isCounted: Bool = true) {
        while true {
            let job = state.withLock { state -> Job? in
                if let job = state.waiting.popFirst() { return job }
                if isCounted { state.threads -= 1 }
                return nil
            }
            guard let job else { return }
            job()
        }
    }
}
