#include <stdio.h>
#include <time.h>

#include "greeting.h"
#include "moon.h"

int main(void) {
    const time_t now = time(NULL);
    const struct tm *local = localtime(&now);
    printf("%s! The moon is %.0f%% lit.\n", greeting(local ? local->tm_hour : 12), moon_lit(now) * 100);
    return 0;
}
