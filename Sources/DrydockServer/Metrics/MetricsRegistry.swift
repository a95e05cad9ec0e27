// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

import CoreMetrics
import Synchronization

/// Keeps what is counted in memory until somebody asks for it: swift-metrics' factory behind `/metrics`.
///
/// The same label with the same dimensions is one series, whoever asks for it; nothing is ever thrown away, so dimensions
/// must come from sets that are bounded.
final class MetricsRegistry: MetricsFactory {
    private let series = Mutex<[String: [String: any MetricSeries]]>([:])

    /// Every series by its metric's name, then by its labels, both in order.
    var all: [(name: String, series: [(labels: String, series: any MetricSeries)])] {
        series.withLock { $0 }.sorted { $0.key < $1.key }
            .map { name, series in
                (name, series.sorted { $0.key < $1.key }.map { (labels: $0.key, series: $0.value) })
            }
    }

    /// The series that is there, or else the one that `make` gives.
    private func find<Series: MetricSeries>(
        _ label: String,
        _ dimensions: [(String, String)],
        _ make: () -> Series
    ) -> Series {
        let labels = dimensions.map { "\($0)=\"\($1)\"" }.joined(separator: ",")
        return series.withLock { series in
            guard let known = series[label]?[labels] else {
                let made = make()
                series[label, default: [:]][labels] = made
                return made
            }
            guard let same = known as? Series else { preconditionFailure("\(label) is of two kinds") }
            return same
        }
    }

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        find(label, dimensions) { CounterSeries() }
    }

    func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        find(label, dimensions) { GaugeSeries() }
    }

    func makeRecorder(
        label: String,
        dimensions: [(String, String)],
        aggregate: Bool
    ) -> any RecorderHandler {
        if aggregate { return find(label, dimensions) { HistogramSeries() } }
        return find(label, dimensions) { GaugeSeries() }
    }

    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        find(label, dimensions) { HistogramSeries() }
    }

    func destroyCounter(_: any CounterHandler) {}
    func destroyMeter(_: any MeterHandler) {}
    func destroyRecorder(_: any RecorderHandler) {}
    func destroyTimer(_: any TimerHandler) {}
}
