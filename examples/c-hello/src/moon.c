#include "moon.h"

#include <math.h>

double moon_lit(long seconds) {
    const double month = 29.530588853 * 86400;
    const double new_moon = 947182440; /* 2000-01-06 18:14 UTC */
    const double phase = fmod((double)seconds - new_moon, month) / month;
    return (1 - cos(phase * 2 * 3.14159265358979)) / 2;
}
