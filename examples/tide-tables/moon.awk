# A line for each day of the week: its number and how much of a spring tide the moon makes of it, -1 to 1.
BEGIN { for (day = 1; day <= 7; day++) printf "%d %.3f\n", day, cos(day / 29.53 * 4 * 3.14159265) }
