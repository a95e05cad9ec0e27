import Tides

for minute in Tide(firstHigh: 372).highs {
    print("high water at \(minute / 60):\(minute % 60)")
}
