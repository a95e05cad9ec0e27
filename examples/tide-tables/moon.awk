# A line for `day` of the week: its number and how much of a spring tide the moon makes of it, -1 to 1.
BEGIN { printf "%d %.3f\n", day, cos(day / 29.53 * 4 * 3.14159265) }
