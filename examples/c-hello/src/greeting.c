#include "greeting.h"

const char *greeting(int hour) {
    if (hour < 5) return "Still up?";
    if (hour < 12) return "Good morning";
    return hour < 18 ? "Good afternoon" : "Good evening";
}
