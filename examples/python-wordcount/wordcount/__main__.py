import sys

from . import count

for word, times in count(sys.stdin.read()).most_common(10):
    print(f"{times:6} {word}")
