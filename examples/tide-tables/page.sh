# page.sh DAY: the page of one day, from dayDAY.txt.
cat <<HEAD
<!doctype html>
<html lang="en">
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tides, day $1</title>
<link rel="stylesheet" href="style.css">
<main><h1>Day $1</h1><table><tr><th>Time<th>Height</tr>
HEAD
while read -r time height unit; do echo "<tr><td>$time<td>$height $unit</tr>"; done < "day$1.txt"
echo '</table><p><a href="index.html">The week</a></main>'
