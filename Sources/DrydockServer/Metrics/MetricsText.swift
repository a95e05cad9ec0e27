// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

/// Prometheus' text format (version 0.0.4); pure.
enum MetricsText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// Everything in `registry`; `help` has a sentence for each name.
    static func render(_ registry: MetricsRegistry, help: [String: String]) -> String {
        var text = ""
        for (name, series) in registry.all {
            if let sentence = help[name] { text += "# HELP \(name) \(sentence)\n" }
            if let first = series.first { text += "# TYPE \(name) \(type(of: first.series).kind)\n" }
            for (labels, series) in series {
                for sample in series.samples {
                    let all = [labels, sample.label ?? ""].filter { !$0.isEmpty }.joined(separator: ",")
                    text += name + sample.suffix + (all.isEmpty ? "" : "{\(all)}")
                    text += " \(number(sample.value))\n"
                }
            }
        }
        return text
    }

    /// Whole numbers without a fraction.
    static func number(_ value: Double) -> String { Int(exactly: value).map(String.init) ?? "\(value)" }
}
