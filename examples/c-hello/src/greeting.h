#pragma once

const char *greeting(int hour);
