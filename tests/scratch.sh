#!/bin/sh
# The folder for scratch files of tests and benchmarks: TMPDIR where it is set, else memory where 8 GiB are free, else /tmp
# (docs/decisions/0061-scratch-in-memory.md).
memory=/dev/shm
room=$(df -Pk "$memory" 2>/dev/null | awk 'NR == 2 { print $4 }')
if [ -n "$TMPDIR" ]; then
	echo "$TMPDIR"
elif [ "${room:-0}" -ge 8388608 ]; then
	echo "$memory"
else
	echo /tmp
fi
