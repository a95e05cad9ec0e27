# The page that leads to the others.
cat <<'HEAD'
<!doctype html>
<html lang="en">
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tides of the week</title>
<link rel="stylesheet" href="style.css">
<main><h1>Tides of the week</h1><p>Reckoned, written and checked in a sandbox.<ul>
HEAD
for day in 1 2 3 4 5 6 7; do echo "<li><a href=\"day$day.html\">Day $day</a>, from $(head -n 1 "day$day.txt")"; done
echo '</ul></main>'
