// SPDX-License-Identifier: Apache-2.0
// Copyright the Drydock authors

extension Duration {
    /// The longest time most settings may ask for: a week.
    package static let longestSetting = Duration.seconds(7 * 24 * 3_600)

    /// Reads `90s`, `10m`, `1h30m`, `7d`: days, hours, minutes, seconds in this order, each at most once; nil for anything
    /// else, for nothing at all, and for more than `longest`.
    package init?(setting text: String, atMost longest: Duration = longestSetting) {
        let longest = longest.components.seconds
        var seconds = 0
        var rest = text[...]
        for (unit, length) in [("d", 24 * 3_600), ("h", 3_600), ("m", 60), ("s", 1)] {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            guard !digits.isEmpty, rest.dropFirst(digits.count).hasPrefix(unit) else { continue }
            guard let count = Int(digits), count <= longest / Int64(length) else { return nil }
            seconds += count * length
            rest = rest.dropFirst(digits.count + unit.count)
        }
        guard rest.isEmpty, seconds > 0, seconds <= longest else { return nil }
        self = .seconds(seconds)
    }

    /// As a setting writes it; parts of a second are dropped.
    package var setting: String {
        let seconds = Int(inSeconds)
        let parts = [(seconds / 3_600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")]
        let text = parts.filter { $0.0 > 0 }.map { "\($0.0)\($0.1)" }.joined()
        return text.isEmpty ? "0s" : text
    }
}
