# The four turns of the tide of `day`: time and height in metres; every day's come 50 minutes later.
$1 == day {
    for (turn = 0; turn < 4; turn++) {
        minutes = 75 + turn * 372 + (day - 1) * 50
        height = 2.4 + (turn % 2 ? -1 : 1) * (1.4 + 0.5 * $2)
        printf "%02d:%02d %.1f m\n", (minutes / 60) % 24, minutes % 60, height
    }
}
