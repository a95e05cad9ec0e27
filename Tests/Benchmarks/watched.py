# SPDX-License-Identifier: Apache-2.0
# Copyright the Drydock authors
"""What somebody who watched a build saw of its progress, read from its journal. Standard library only."""

QUARTERS = (0.25, 0.5, 0.75)


class Watched:
    """`shown`: percent on the bar at the quarters of the time it really took; `off`: by how many percent of that time the predicted end
    was wrong then. None where nothing was shown yet, or no prediction was made."""

    def __init__(self, journal):
        begin = next(record["ts"] for record in journal if record["kind"] == "started")
        self.seconds = journal[-1]["ts"] - begin
        estimates = [record for record in journal if record["kind"] == "estimate"]
        self.counted = any(record["kind"] == "progress" and record.get("total") for record in journal)
        percents = [record["percent"] for record in estimates]
        self.went_back = any(later < earlier for earlier, later in zip(percents, percents[1:]))
        self.shown, self.off = [], []
        for quarter in QUARTERS:
            past = [record for record in estimates if record["ts"] <= begin + quarter * self.seconds]
            self.shown.append(past[-1]["percent"] if past else None)
            self.off.append(self._off(past[-1], begin) if past and "most_s" in past[-1] else None)

    def _off(self, estimate, begin):
        """The prediction is a range: its middle counts. What it says holds from the moment it was said."""
        predicted = estimate["ts"] - begin + (estimate.get("least_s", estimate["most_s"]) + estimate["most_s"]) / 2
        return 100 * abs(predicted - self.seconds) / self.seconds
