/// A tide that comes and goes twice in a lunar day.
public struct Tide {
    /// Minutes from one high water to the next.
    public static let period = 745

    /// Minutes after midnight.
    public let firstHigh: Int

    /// A tide whose first high water is so many minutes after midnight.
    public init(firstHigh: Int) { self.firstHigh = firstHigh }

    /// The high waters of a day, in minutes after midnight.
    public var highs: [Int] { Array(stride(from: firstHigh, to: 24 * 60, by: Self.period)) }
}
