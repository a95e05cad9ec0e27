#pragma once

/* Share of the moon that is lit, 0 to 1, at `seconds` since 1970. */
double moon_lit(long seconds);
