"""A process of ours computes with small matrices: in one thread, whatever the machine has."""

import os
import subprocess
import sys

COUNTED = """
import os
import marengocam.cli
import numpy
many = numpy.ones((400, 400))
many @ many
print(len(os.listdir("/proc/self/task")))
"""


def threads_of_a_process(**environment: str) -> int:
    bare = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    done = subprocess.run([sys.executable, "-c", COUNTED], env=bare | environment, capture_output=True, check=True)
    return int(done.stdout)


def test_no_library_begins_threads_for_them():
    assert threads_of_a_process() == 1


def test_an_owner_may_choose_otherwise():
    assert threads_of_a_process(OPENBLAS_NUM_THREADS="2") == min(2, os.cpu_count() or 1)
