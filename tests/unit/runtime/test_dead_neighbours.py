"""Whose leases may be freed at once: only those of dead processes of the same process space."""

import os
import subprocess
import sys

from marengocam.runtime.leases import is_dead_neighbour, own_instance


def test_only_a_dead_process_of_the_same_space_is_a_dead_neighbour():
    own = own_instance()
    place = own.split(":")[0]
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert is_dead_neighbour(f"{place}:{ended.pid}:aaaaaa", own)
    assert is_dead_neighbour(f"{place}:{os.getpid()}:aaaaaa", own), "an earlier start had our number"
    assert not is_dead_neighbour(own, own)
    assert not is_dead_neighbour(f"{place}:{os.getppid()}:aaaaaa", own)
    assert not is_dead_neighbour(f"elsewhere/1:{ended.pid}:aaaaaa", own)
    assert not is_dead_neighbour("something else", own)
