// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import CoreMetrics
import Synchronization

/// One series of numbers, as Prometheus sees it.
protocol MetricSeries: Sendable {
    /// Its word for what kind of metric this is.
    static var kind: String { get }
    /// The numbers now: what is put behind the name, one more label, the value.
    var samples: [(suffix: String, label: String?, value: Double)] { get }
}

/// A number that only rises.
final class CounterSeries: MetricSeries, CounterHandler {
    static let kind = "counter"
    private let value = Atomic<Int64>(0)

    func increment(by amount: Int64) { value.add(amount, ordering: .relaxed) }

    func reset() { value.store(0, ordering: .relaxed) }

    var samples: [(suffix: String, label: String?, value: Double)] {
        [("", nil, Double(value.load(ordering: .relaxed)))]
    }
}

/// A number that comes and goes.
final class GaugeSeries: MetricSeries, MeterHandler, RecorderHandler {
    static let kind = "gauge"
    private let value = Mutex(0.0)

    func set(_ new: Int64) { set(Double(new)) }

    func set(_ new: Double) { value.withLock { $0 = new } }

    func increment(by amount: Double) { value.withLock { $0 += amount } }

    func decrement(by amount: Double) { increment(by: -amount) }

    func record(_ new: Int64) { set(Double(new)) }

    func record(_ new: Double) { set(new) }

    var samples: [(suffix: String, label: String?, value: Double)] { [("", nil, value.withLock { $0 })] }
}

/// How many values were at most so large; times are in seconds.
final class HistogramSeries: MetricSeries, TimerHandler, RecorderHandler {
    static let kind = "histogram"

    /// Good for an answer as for a build: from a millisecond to a quarter of an hour and more.
    private static let bounds = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60, 300, 1_000]

    private struct State {
        /// One for each bound, and one for what is larger.
        var counts = [Int](repeating: 0, count: HistogramSeries.bounds.count + 1)
        var sum = 0.0
    }

    private let state = Mutex(State())

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }

    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        let place = Self.bounds.firstIndex { value <= $0 } ?? Self.bounds.count
        state.withLock { state in
            state.counts[place] += 1
            state.sum += value
        }
    }

    var samples: [(suffix: String, label: String?, value: Double)] {
        let state = state.withLock { $0 }
        var total = 0
        var samples: [(suffix: String, label: String?, value: Double)] = []
        for (index, count) in state.counts.enumerated() {
            total += count
            let bound = index < Self.bounds.count ? MetricsText.number(Self.bounds[index]) : "+Inf"
            samples.append(("_bucket", "le=\"\(bound)\"", Double(total)))
        }
        return samples + [("_sum", nil, state.sum), ("_count", nil, Double(total))]
    }
}
